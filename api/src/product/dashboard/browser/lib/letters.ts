// Whether letters of the keyboard choose days: as this browser was told. In a frame they belong to the page around it, and a
// browser may refuse to keep anything there.
import { isEmbedded } from './state.ts';

export const areLettersOn = (): boolean => !isEmbedded && localStorage.getItem('letters') !== 'off';
export const setLetters = (on: boolean): void => localStorage.setItem('letters', on ? 'on' : 'off');
