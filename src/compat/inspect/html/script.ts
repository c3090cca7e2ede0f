/** The page's only script: a link into a closed diagram opens it, and two buttons open and close all. */
export const SCRIPT = `
'use strict';
const all = () => document.querySelectorAll('details');
const reveal = () => {
  const target = location.hash === '' ? null : document.getElementById(location.hash.slice(1));
  const around = target === null ? null : target.closest('details');
  if (around === null) return;
  around.open = true;
  target.scrollIntoView({ block: 'center' });
};
document.getElementById('open').addEventListener('click', () => all().forEach((one) => { one.open = true; }));
document.getElementById('close').addEventListener('click', () => all().forEach((one) => { one.open = false; }));
document.querySelector('.controls').hidden = false;
addEventListener('hashchange', reveal);
reveal();
`;
