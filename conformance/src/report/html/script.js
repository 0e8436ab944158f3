
(function () {
  'use strict';
  var byId = function (id) { return document.getElementById(id); };
  var all = function (selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); };
  var root = document.documentElement;
  root.classList.add('js');
  var rows = all('#cases tbody tr');
  if (rows.length === 0) { return; }
  rows.forEach(function (row) { row.haystack = row.textContent.toLowerCase(); });
  var picks = all('.pick');
  var value = function (id) { var field = byId(id); return field ? field.value : ''; };

  function shows(row) {
    var words = value('text').toLowerCase().split(' ');
    var picked = picks.some(function (pick) {
      if (!pick.checked) { return false; }
      return pick.value === row.getAttribute('data-verdict');
    });
    if (!picked) { return false; }
    if (['dialect', 'target'].some(function (id) {
      var wanted = value(id);
      if (wanted === '') { return false; }
      return row.getAttribute('data-' + id) !== wanted;
    })) { return false; }
    return words.every(function (word) { return row.haystack.indexOf(word) !== -1; });
  }

  function shown() { return rows.filter(function (row) { return !row.hidden; }); }

  function filter() {
    rows.forEach(function (row) { row.hidden = !shows(row); });
    var count = shown().length;
    byId('count').textContent = count + ' of ' + rows.length + ' cases';
    byId('none').hidden = count !== 0;
  }

  function pickOnly(words) {
    picks.forEach(function (pick) {
      pick.checked = words === null ? true : words.indexOf(pick.value) !== -1;
    });
    filter();
  }

  function walk(article) {
    var ids = shown().map(function (row) { return row.getAttribute('data-case'); });
    var at = ids.indexOf(article.id);
    [['.prev', at - 1], ['.next', at + 1]].forEach(function (step) {
      var link = article.querySelector(step[0]);
      var id = at === -1 ? undefined : ids[step[1]];
      link.hidden = id === undefined;
      if (id !== undefined) { link.setAttribute('href', '#' + id); }
    });
  }

  var place = 0;
  function route() {
    var name = decodeURIComponent(location.hash.slice(1));
    var article = name.indexOf('case-') === 0 ? byId(name) : null;
    var was = root.classList.contains('one');
    if (article !== null) { if (!was) { place = window.scrollY; } }
    all('.case.open').forEach(function (old) { old.classList.remove('open'); });
    root.classList.toggle('one', article !== null);
    if (article !== null) {
      article.classList.add('open');
      walk(article);
      window.scrollTo(0, 0);
    } else if (was) {
      if (name === 'overview') { window.scrollTo(0, place); }
    }
  }

  byId('text').addEventListener('input', filter);
  picks.forEach(function (pick) { pick.addEventListener('change', filter); });
  ['dialect', 'target'].forEach(function (id) {
    if (byId(id)) { byId(id).addEventListener('change', filter); }
  });
  byId('bad').addEventListener('click', function () { pickOnly(['fail', 'warn', 'inconclusive', 'blocked']); });
  byId('all').addEventListener('click', function () {
    byId('text').value = '';
    ['dialect', 'target'].forEach(function (id) { if (byId(id)) { byId(id).value = ''; } });
    pickOnly(null);
  });
  window.addEventListener('hashchange', route);
  filter();
  route();
}());
