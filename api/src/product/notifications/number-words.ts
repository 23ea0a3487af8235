// Numbers that are written as words. "Thousands of people" claims as much as 1000 does, and nobody counted it.

const COMPOUND = (parts: string) => `\\p{L}*(?:${parts})\\p{L}*`;

/**
 * From two on, by language; whole words. "One" is an article or a pronoun in most of them, and so are left out: neuf (new) in
 * French, sei (you are) in Italian, set in Czech, altı (under), yedi (ate), yüz (face) and bin (get on) in Turkish.
 */
const WORDS: Record<string, string> = {
  en: 'two three four five six seven eight nine ten eleven twelve (?:thir|four|fif|six|seven|eigh|nine)teen (?:twen|thir|for|fif|six|seven|eigh|nine)ty tens hundreds? thousands? [mb]illions? trillions? dozens?',
  fr: 'deux trois quatre cinq six sept huit dix onze douze treize quatorze quinze seize vingts? trente quarante cinquante soixante septante huitante octante nonante cents? mille milliers? millions? milliards? (?:diz|douz|vingt|trent|quarant|cinquant|soixant|cent)aines?',
  de: `zwei drei vier fünf sechs sieben acht neun elf zwölf ${COMPOUND('zehn|zwanzig|dreißig|dreissig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig|hundert|tausend|dutzend|million|milliarde')}`,
  es: 'dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieci\\p{L}+ veint[ei]\\p{L}* treinta cuarenta cincuenta sesenta setenta ochenta noventa cien cient[oa]s? \\p{L}+cient[oa]s quinient[oa]s mil miles mill[oó]n(?:es)? docenas? decenas? centenas? centenares millares',
  it: 'due tre quattro cinque sette otto nove dieci (?:un|do|tre|quattor|quin|se)dici diciassette diciotto diciannove venti trenta quaranta cinquanta sessanta settanta ottanta novanta cento mille (?:due|tre|quattro|cinque|sei|sette|otto|nove|dieci)(?:cento|mila) decin[ae] dozzin[ae] centinaia migliaia milion[ei] miliard[oi]',
  nl: `twee drie vier vijf zes zeven acht negen tien elf twaalf (?:der|veer|vijf|zes|zeven|acht|negen)tien ${COMPOUND('twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig|honderd|duizend|miljoen|miljard|dozijn')} tientallen`,
  pt: 'dois duas três tres quatro cinco seis sete oito nove dez onze doze treze catorze quatorze quinze deza?sseis dezesseis dezassete dezessete dezoito dezanove dezenove vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem cento duzent[oa]s trezent[oa]s (?:quatro|sete|oito|nove)cent[oa]s seiscent[oa]s quinhent[oa]s mil milhares milh(?:ão|ões) bilh(?:ão|ões) dúzias? dezenas? centenas?',
  sv: `två tre fyra fem sex sju åtta nio tio elva tolv tretton fjorton femton sexton sjutton arton nitton ${COMPOUND('tjugo|trettio|fyrtio|femtio|sextio|sjuttio|åttio|nittio|hundra|tusen|miljon|miljard|dussin')}`,
  da: `to tre fire fem seks syv otte ni ti elleve tolv tretten fjorten femten seksten sytten atten nitten tyve tredive fyrre halvtreds tres halvfjerds firs halvfems ${COMPOUND('hundred|tusind|million|milliard|dusin')}`,
  nb: `to tre fire fem seks sju syv åtte ni ti elleve tolv tretten fjorten femten seksten sytten atten nitten ${COMPOUND('tjue|tretti|førti|femti|seksti|sytti|åtti|nitti|hundre|tusen|million|milliard|dusin')}`,
  fi: `kaksi kahden kolme kolmen neljä neljän viisi viiden kuuden seitsemän kahdeksan yhdeksän \\p{L}+toista sata sataa sadan satoja sadat ${COMPOUND('kymmen|tuhat|tuhan|miljoon|miljard')}`,
  pl: 'dwa dwie dwóch trzy trzech cztery czterech pięć pięciu sześć sześciu siedem siedmiu osiem ośmiu dziewięć dziewięciu dziesięć dziesięciu \\p{L}+naście \\p{L}+nastu dwadzieścia trzydzieści czterdzieści \\p{L}+dziesiąt \\p{L}+dziestu sto stu setki setek dwieście trzysta czterysta (?:pięć|sześć|siedem|osiem|dziewięć)set tysiąc\\p{L}* tysięcy milion\\p{L}* miliard\\p{L}* tuzin\\p{L}* dziesiątki dziesiątek',
  cs: `dva dvě tři čtyři pět šest sedm osm devět deset \\p{L}+náct sto sta stě stovk\\p{L}+ tucet\\p{L}* desítk\\p{L}+ ${COMPOUND('dvacet|třicet|čtyřicet|padesát|šedesát|sedmdesát|osmdesát|devadesát|tisíc|milion|milión|miliard')}`,
  uk: "два дві три чотири п['’ʼ]?ять шість сім вісім дев['’ʼ]?ять десять \\p{L}+надцять двадцять тридцять сорок п['’ʼ]?ятдесят шістдесят сімдесят вісімдесят дев['’ʼ]?яносто сто сотн\\p{L}+ сотень двісті триста чотириста \\p{L}+сот тисяч\\p{L}* мільйон\\p{L}* мільярд\\p{L}* дюжин\\p{L}* десятк\\p{L}+",
  ru: 'два две двое три трое четыре пять шесть семь восемь девять десять \\p{L}+надцать двадцать тридцать сорок \\p{L}+десят девяносто сто сот сотн\\p{L}+ сотен двести триста четыреста (?:пять|шесть|семь|восемь|девять)сот тысяч\\p{L}* миллион\\p{L}* миллиард\\p{L}* дюжин\\p{L}* десятк\\p{L}+',
  tr: 'iki üç dört beş sekiz dokuz on yirmi otuz kırk elli altmış yetmiş seksen doksan yüzlerce binlerce onlarca milyon\\p{L}* milyar\\p{L}* düzine\\p{L}*',
  ar: 'و?(?:اثنان اثنين ثلاث\\p{L}* أربع\\p{L}* خمس\\p{L}* ستة ستون ستين سبع\\p{L}* ثمان\\p{L}* تسع\\p{L}* عشر\\p{L}* مئة مائة مئات مئتان مئتين ألف ألفان آلاف مليون\\p{L}* ملايين مليار\\p{L}*)',
  he: 'שניים שתיים שלוש\\p{L}* ארבע\\p{L}* חמש חמישה חמישים שש שישה שישים שבע שבעה שבעים שמונה שמונים תשע תשעה תשעים עשר עשרה עשרות עשרים מאה מאות מאתיים אלף אלפים אלפי אלפיים מיליון מיליוני מיליארד\\p{L}*',
  ko: '둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열 (?:두|세|네|다섯|여섯|일곱|여덟|아홉|열|스무)\\s?(?:명|분|개|번)\\p{L}* 스물\\p{L}* 서른 마흔 수?[이삼사오육칠팔구]?[십백천만억][일이삼사오육칠팔구십백천만억]*\\s?(?:명|건|회|개|번)\\p{L}*',
};

// Ideographs: a number of several that holds a magnitude, or one with what it counts. 万一 is "in case", 一人 "alone".
const NUMERALS = '〇零一二三四五六七八九十百千万萬億亿兆两兩幾几数數壹贰叁肆伍陆柒捌玖拾佰仟';
const IDEOGRAPHS = new RegExp(
  `(?![万萬]一)(?=[${NUMERALS}]*[十百千万萬億亿兆拾佰仟])[${NUMERALS}]{2,}|(?!一(?![${NUMERALS}]))[${NUMERALS}]+(?:多|余|餘)?[人名位件個个箇回次様组組倍]`,
  'u',
);

const patterns: Record<string, RegExp | undefined> = Object.fromEntries(
  Object.entries(WORDS).map(([language, words]) => [
    language,
    new RegExp(`(?<![\\p{L}\\p{M}])(?:${words.replaceAll(' ', '|')})(?![\\p{L}\\p{M}])`, 'iu'),
  ]),
);
const SAME: Record<string, string> = { no: 'nb', nn: 'nb' };

/** language  of the text; of others than those the ideographs alone are known */
export function holdsNumberWord(text: string, language: string): boolean {
  const [base] = language.split('-', 1) as [string];
  const words = patterns[SAME[base] ?? base];
  const plain = text.normalize('NFC');
  return IDEOGRAPHS.test(plain) || (words?.test(plain) ?? false);
}
