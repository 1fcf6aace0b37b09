(function () {
  'use strict';
  var root = document.documentElement;
  var id = function (name) { return document.getElementById(name); };
  var theme = id('theme');
  if (theme) {
    theme.hidden = false;
    theme.addEventListener('click', function () {
      var now = root.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
      root.dataset.theme = now === 'dark' ? 'light' : 'dark';
    });
  }
  function unfold(element) {
    for (var e = element; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true;
  }
  function follow() {
    var element = location.hash.length > 1 && id(decodeURIComponent(location.hash.slice(1)));
    if (!element) return;
    unfold(element);
    element.scrollIntoView();
  }
  addEventListener('hashchange', follow);
  follow();
  var find = id('find'), verdict = id('verdict'), found = id('found');
  if (find && verdict && found) {
    var bar = document.querySelector('.filter');
    bar.hidden = false;
    var all = Array.prototype.slice.call(document.querySelectorAll('.finding'));
    var opened = [];
    var timer = 0;
    var sift = function () {
      var text = find.value.trim().toLowerCase(), want = verdict.value, n = 0;
      opened.forEach(function (d) { d.open = false; });
      opened = [];
      all.forEach(function (f) {
        var fits = (!want || f.dataset.v === want) && (!text || f.textContent.toLowerCase().indexOf(text) >= 0);
        f.classList.toggle('out', !fits);
        if (!fits) return;
        n += 1;
        if (!text && !want) return;
        for (var e = f.parentElement; e; e = e.parentElement) {
          if (e.tagName === 'DETAILS' && !e.open) { e.open = true; opened.push(e); }
        }
      });
      found.textContent = text || want ? n + ' of ' + all.length : '';
    };
    find.addEventListener('input', function () { clearTimeout(timer); timer = setTimeout(sift, 200); });
    verdict.addEventListener('change', sift);
  }
}());
