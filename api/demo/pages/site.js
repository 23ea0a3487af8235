// The bakery's own script: the menu's addresses, and the choice of how to be counted.
const courses = {
  breakfast: ['Porridge with stewed apple', 'Toast, butter, marmalade', 'Two eggs and a heel of rye'],
  lunch: ['Soup of the day with country bread', 'Open sandwich, three kinds', 'Cheese and chutney'],
  coffee: ['Filter', 'Flat white', 'Cardamom knot, while there are any'],
};

const course = document.querySelector('#course');
function show() {
  const name = location.pathname.split('/')[2];
  if (!course || !courses[name]) return;
  const list = document.createElement('ul');
  for (const dish of courses[name])
    list.append(Object.assign(document.createElement('li'), { textContent: dish }));
  course.replaceChildren(list);
  for (const link of document.querySelectorAll('[data-route]')) {
    if (link.pathname === location.pathname) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}
document.addEventListener('click', (event) => {
  const route = event.target.closest('[data-route]');
  if (route) {
    event.preventDefault();
    history.pushState({}, '', route.href);
    show();
  }
  const choice = event.target.closest('[data-consent-choice]');
  if (choice) {
    // Works before the script has loaded too: until then the global is an array.
    window.mkt = window.mkt || [];
    window.mkt.push(['consent', choice.dataset.consentChoice]);
    for (const button of document.querySelectorAll('[data-consent-choice]'))
      button.setAttribute('aria-pressed', String(button === choice));
  }
});
addEventListener('popstate', show);
show();
