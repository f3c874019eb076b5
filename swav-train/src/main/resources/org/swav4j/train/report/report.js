// Draws the page from the JSON in #runs: one run, or two side by side. Whatever comes from a run is set as text.
'use strict';

const runs = JSON.parse(document.getElementById('runs').textContent);
const main = document.getElementById('main');
const two = runs.length > 1;
const letters = ['A', 'B'];
const charts = [];

// --- Elements -------------------------------------------------------------------------------------------------------

/** An element; children are elements and texts. */
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith('on')) {
      element.addEventListener(key.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? '' : value);
    }
  }
  element.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== ''));
  return element;
}

const known = value => value !== null && value !== undefined;
// Halves upwards, as the command line rounds.
const percent = share => (Math.round(1000 * share) / 10).toFixed(1) + ' %';
const count = n => Number(n).toLocaleString('en');
const plural = (n, one, many) => count(n) + ' ' + (n === 1 ? one : many || one + 's');
const short = x => !known(x) ? '' : Math.abs(x) >= 100 ? x.toFixed(0) : String(Number(x.toPrecision(4)));

function section(id, title, about, ...content) {
  document.getElementById('sections').append(h('li', {}, h('a', {href: '#' + id}, title)));
  const made = h('section', {id, 'aria-labelledby': id + '-title'}, h('h2', {id: id + '-title'}, title),
      about ? h('p', {class: 'note'}, about) : null, ...content);
  main.append(made);
  return made;
}

/** The same for each run, one beside the other. */
function sides(draw) {
  return h('div', {class: two ? 'pair two' : 'pair'}, runs.map((run, r) =>
      h('div', {}, two ? h('h3', {}, letters[r] + ': ' + run.name) : null, draw(run, r))));
}

function table(caption, heads, rows) {
  const head = heads.map(([text, kind]) => h('th', {scope: 'col', class: kind}, text));
  const body = rows.map(row => h('tr', {}, row.map((cell, c) => {
    const content = cell && cell.content !== undefined ? cell : {content: cell};
    return h(c === 0 ? 'th' : 'td', {class: content.class || heads[c][1], scope: c === 0 ? 'row' : null},
        content.content);
  })));
  return h('div', {class: 'scroll', role: 'region', tabindex: 0, 'aria-label': caption},
      h('table', {}, h('caption', {}, caption), h('thead', {}, h('tr', {}, head)), h('tbody', {}, body)));
}

/** What is made when it is opened: long tables cost nothing until somebody wants them. */
function folded(title, make) {
  const details = h('details', {}, h('summary', {}, title));
  details.addEventListener('toggle', () => details.append(make()), {once: true});
  return details;
}

/** Arrows, Home and End move among the buttons of a gallery, which is one stop of the tab key. */
function roving(container) {
  const buttons = () => [...container.querySelectorAll('button.open')];
  const settle = () => buttons().forEach((b, i) => { b.tabIndex = i ? -1 : 0; });
  container.addEventListener('keydown', event => {
    const all = buttons();
    const at = all.indexOf(document.activeElement);
    const to = {ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1}[event.key];
    if (at >= 0 && to !== undefined && all[to]) {
      event.preventDefault();
      all[at].tabIndex = -1;
      all[to].tabIndex = 0;
      all[to].focus();
    }
  });
  settle();
  return settle;
}

// --- Pictures -------------------------------------------------------------------------------------------------------

const sheets = new Map();

/** A picture of a sheet; every sheet is one rule of style, however many of its pictures are shown. */
function tile(sheet, i, side, label) {
  if (!sheets.has(sheet)) {
    sheets.set(sheet, 'sheet' + sheets.size);
    document.head.append(h('style', {}, `.${sheets.get(sheet)} { background-image: url("${sheet.image}"); }`));
  }
  const scale = side / sheet.tile;
  const picture = h('span', {class: 'tile ' + sheets.get(sheet), role: label === null ? null : 'img',
    'aria-label': label, title: label});
  picture.style.width = picture.style.height = side + 'px';
  picture.style.backgroundSize = `${sheet.columns * sheet.pitch * scale}px ${sheet.rows * sheet.pitch * scale}px`;
  picture.style.backgroundPosition =
      `${-(i % sheet.columns) * sheet.pitch * scale}px ${-Math.floor(i / sheet.columns) * sheet.pitch * scale}px`;
  return picture;
}

const className = (run, label) => known(label) ? run.data.classes[label] : null;

function describe(run, i) {
  const label = className(run, run.sample.gallery.pictures[i].label);
  return run.sample.names[i] + (known(label) ? ', class ' + label : '');
}

/** A thumbnail that opens what is known of its image. */
function thumbnail(run, i, side, more) {
  return h('button', {class: 'open' + (more && more.off ? ' off' : ''), type: 'button',
    'aria-label': describe(run, i) + (more ? more.text : ''), title: describe(run, i) + (more ? more.text : ''),
    onclick: () => show(run, i)}, tile(run.sample.thumbnails, i, side, null));
}

function neighbours(run, i, side) {
  const picture = run.sample.gallery.pictures[i];
  return h('div', {class: 'row'}, picture.neighbours.map((j, n) => {
    const other = run.sample.gallery.pictures[j].label;
    const off = known(picture.label) && known(other) && other !== picture.label;
    return thumbnail(run, j, side,
        {off, text: `, cosine ${picture.similarities[n].toFixed(2)}${off ? ', another class' : ''}`});
  }));
}

/** The dialog of an image. */
function show(run, i) {
  const dialog = document.getElementById('image');
  const picture = run.sample.gallery.pictures[i];
  const label = className(run, picture.label);
  dialog.replaceChildren(
      h('h2', {id: 'image-name'}, run.sample.names[i]),
      tile(run.sample.thumbnails, i, 144, 'the image'),
      h('p', {}, [known(label) ? 'Class ' + label : null,
        known(picture.prototype) ? 'prototype ' + picture.prototype : null].filter(known).join(', ')),
      h('h3', {}, 'Nearest neighbours'), neighbours(run, i, 48),
      h('button', {class: 'button', type: 'button', onclick: () => dialog.close()}, 'Close'));
  if (!dialog.open) {
    dialog.showModal();
  }
  dialog.querySelector('.button').focus();
}

// --- Charts ---------------------------------------------------------------------------------------------------------

const colour = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

function figure(caption, summary, options, onclick, kind) {
  const box = h('div', {class: 'chart ' + (kind || ''), role: 'img', 'aria-label': caption + '. ' + summary});
  charts.push({box, options, onclick});
  return h('figure', {}, h('figcaption', {}, caption), box);
}

/** Draws all charts, again where light and dark change or the page's width does. */
function drawCharts() {
  for (const chart of charts) {
    if (!chart.drawn) {
      chart.drawn = echarts.init(chart.box);
      if (chart.onclick) {
        chart.drawn.on('click', chart.onclick);
      }
    }
    chart.drawn.setOption(chart.options(), true);
  }
}

function axis(name, more) {
  return Object.assign({type: 'value', name, nameTextStyle: {color: colour('soft'), align: 'left'}, nameGap: 10,
    axisLabel: {color: colour('soft'), hideOverlap: true}, axisLine: {show: true, lineStyle: {color: colour('line')}},
    splitLine: {lineStyle: {color: colour('grid')}}}, more);
}

/**
 * Curves over epochs.
 *
 * lines: {name, of: epoch => number, colour, width, dots}, or with points: run => [[epoch, number]]
 * levels: {name, of: run => number}, drawn across
 */
function curves(caption, unit, lines, levels, more) {
  const series = [];
  runs.forEach((run, r) => lines.forEach(line => {
    const points = line.points ? line.points(run)
        : run.epochs.filter(e => known(line.of(e))).map(e => [e.epoch, line.of(e)]);
    if (points.length) {
      series.push({line, run: r, points, name: (two ? letters[r] + ' ' : '') + line.name});
    }
  }));
  if (!series.length) {
    return null;
  }
  const summary = series.map(s => {
    const values = s.points.map(p => p[1]).filter(known);
    return `${s.name}: from ${short(values[0])} to ${short(values[values.length - 1])}, `
        + `least ${short(values.reduce((a, b) => Math.min(a, b)))}, most ${short(values.reduce((a, b) => Math.max(a, b)))} ${unit}`;
  }).join('; ');
  const marks = runs.flatMap((run, r) => (levels || []).map(l => ({name: (two ? letters[r] + ' ' : '') + l.name, y: l.of(run)})))
      .filter(m => known(m.y));
  // Where a level lies outside of the curves, the axis reaches to it.
  const beyond = (extreme, end) => {
    const reach = extreme(end, ...marks.map(m => m.y));
    return reach === end ? null : reach + (reach - end) / 10;
  };
  return figure(caption, summary, () => ({
    animation: false,
    grid: {left: 52, right: 16, top: 28, bottom: 62},
    legend: {bottom: 0, type: 'scroll', textStyle: {color: colour('text')}, pageIconColor: colour('link'),
      pageIconInactiveColor: colour('line'), pageTextStyle: {color: colour('soft')}},
    tooltip: {trigger: 'axis', confine: true, backgroundColor: colour('panel'), borderColor: colour('line'),
      textStyle: {color: colour('text')}, formatter: points => h('div', {}, 'epoch ' + short(points[0].data[0]), points.map(p =>
          h('div', {}, h('span', {style: 'color:' + p.color}, '\u25cf '), `${p.seriesName}: ${short(p.data[1])} ${unit}`)))},
    xAxis: axis('', {min: 0, max: Math.max(1, ...runs.map(run => run.epochs[run.epochs.length - 1].epoch)),
      axisLabel: {color: colour('soft'), formatter: v => v === 0 ? '0 epochs' : v}}),
    yAxis: axis(unit, Object.assign({min: v => beyond(Math.min, v.min), max: v => beyond(Math.max, v.max)}, more)),
    series: series.map((s, i) => ({
      // ECharts 5.3 warns of a curve without dots that has no level of its own.
      name: s.name, type: 'line', data: s.points, symbolSize: 6, zlevel: 0, z: 2,
      symbol: s.line.dots === false || s.points.length > 120 ? 'none' : ['circle', 'rect', 'triangle', 'diamond'][i % 4],
      lineStyle: {width: s.line.width || 2, type: s.run ? 'dashed' : 'solid'},
      color: colour('c' + s.line.colour), sampling: 'lttb',
      markLine: i ? undefined : {silent: true, symbol: 'none', lineStyle: {color: colour('soft'), type: 'dotted'},
        label: {position: 'insideStartTop', color: colour('soft'), formatter: m => m.name},
        data: marks.map(m => ({name: m.name, yAxis: m.y}))}
    }))
  }));
}

// --- Sections -------------------------------------------------------------------------------------------------------

const last = run => run.epochs[run.epochs.length - 1];
/** ln K, where the log tells the loss as a share of it. */
const chance = run => {
  const epoch = run.epochs.find(e => e.loss_share > 0);
  return epoch ? epoch.loss / epoch.loss_share : null;
};

function facts(run) {
  const e = last(run);
  const finished = e.epoch >= run.plan.epochs;
  const all = [
    ['Progress', `${e.epoch} of ${plural(run.plan.epochs, 'epoch')}`, finished ? 'finished' : 'not finished'],
    ['Health', e.health || (e.epoch ? 'not judged' : 'not yet known'), '',
      !e.health || e.health === 'starting' ? '' : e.health === 'healthy' ? 'good' : 'bad'],
    ['Loss', known(e.loss) ? short(e.loss) + ' nats' : null, known(e.loss_share) ? percent(e.loss_share) + ' of chance, ln K' : ''],
    ['k-NN accuracy', known(e.knn) ? percent(e.knn) : null,
      [known(run.epochs[0].knn) && e.epoch ? 'untrained ' + percent(run.epochs[0].knn) : '',
        known(run.rawPixels) ? 'raw pixels ' + percent(run.rawPixels) : ''].filter(Boolean).join(', ')],
    ['Spread of embeddings', known(e.spread) ? e.spread.toFixed(2) : null, '0: collapsed, 1: even'],
    ['Prototypes used', known(e.prototypes_used) ? percent(e.prototypes_used) : null, 'best for an image of the epoch'],
    ['Speed', known(e.images_per_s) ? short(e.images_per_s) + ' images/s' : null,
      e.wait_share >= .05 ? percent(e.wait_share) + ' waiting for crops' : ''],
  ];
  return h('dl', {class: 'facts'}, all.filter(f => f[1] !== null).map(([name, value, more, kind]) =>
      h('div', {}, h('dt', {}, name), h('dd', {class: kind}, value, more ? h('small', {}, more) : null))));
}

/** The health of all epochs, in stretches of the same. */
function healthLine(run) {
  const stretches = [];
  for (const e of run.epochs.filter(e => e.health)) {
    const before = stretches[stretches.length - 1];
    if (before && before.state === e.health) {
      before.to = e.epoch;
    } else {
      stretches.push({state: e.health, from: e.epoch, to: e.epoch});
    }
  }
  return stretches.length ? h('p', {}, 'Health by epoch: ' + stretches.map(s =>
      (s.from === s.to ? s.from : s.from + '\u2013' + s.to) + ' ' + s.state).join(', ') + '.') : null;
}

function advice(run) {
  return run.advice.length
      ? h('ul', {class: 'advice'}, run.advice.map(a =>
          h('li', {}, (a.step ? 'After step ' + count(a.step) : 'Before training') + ': ' + a.text)))
      : h('p', {}, 'No advice was given.');
}

function curveSection() {
  const x = run => run.steps.step.map(s => s / run.plan.stepsPerEpoch);
  const zip = (a, b) => a.map((v, i) => [v, b[i]]).filter(p => known(p[1]));
  const all = [
    curves('Loss', 'nats', [
      {name: 'steps', points: run => zip(x(run), run.steps.loss), colour: 0, width: 1, dots: false},
      {name: 'mean of the epoch', of: e => e.loss, colour: 1}], [{name: 'chance, ln K', of: chance}], {scale: true}),
    curves('k-NN accuracy', '%', [{name: 'features', of: e => known(e.knn) ? 100 * e.knn : null, colour: 1}],
        [{name: 'raw pixels', of: run => known(run.rawPixels) ? 100 * run.rawPixels : null}]),
    curves('Directions that the features use', 'RankMe', [{name: 'RankMe', of: e => e.rankme, colour: 2}]),
    curves('What the loss is made of', 'nats', [
      {name: 'KL(code \u2016 prediction)', of: e => e.kl, colour: 0},
      {name: 'entropy of codes', of: e => e.code_entropy, colour: 2}]),
    curves('Spread, prototypes used and distinct, images of the largest', '%', [
      {name: 'spread', of: e => known(e.spread) ? 100 * e.spread : null, colour: 1},
      {name: 'used', of: e => known(e.prototypes_used) ? 100 * e.prototypes_used : null, colour: 2},
      {name: 'distinct', of: e => known(e.prototypes_distinct) ? 100 * e.prototypes_distinct : null, colour: 0},
      {name: 'largest', of: e => known(e.largest_share) ? 100 * e.largest_share : null, colour: 3}]),
    curves('Learning rate', '', [{name: 'learning rate', points: run => zip(x(run), run.steps.learningRate), colour: 0, dots: false}]),
    curves('Speed', 'images/s', [{name: 'training', of: e => e.images_per_s, colour: 2}]),
  ].filter(known);
  if (!all.length) {
    return;
  }
  const columns = [['loss', 'loss'], ['loss_share', 'share of chance'], ['knn', 'k-NN'], ['rankme', 'RankMe'], ['alpha_req', '\u03b1-ReQ'], ['kl', 'KL'], ['code_entropy', 'entropy'],
    ['spread', 'spread'], ['prototypes_used', 'used'], ['prototypes_distinct', 'distinct'], ['largest_share', 'largest'],
    ['images_per_s', 'images/s'], ['health', 'health']];
  section('curves', 'Curves', 'Losses, KL and entropy are in nats. Codes are healthy while their entropy is below ln K and the spread'
      + ' stays well above 0; the table has every number.',
      h('div', {class: 'charts'}, all),
      folded('The same as a table', () => sides(run => table('Numbers of each epoch of ' + run.name,
          [['epoch', 'number'], ...columns.map(c => [c[1], c[0] === 'health' ? '' : 'number'])],
          run.epochs.map(e => [e.epoch, ...columns.map(([key]) => key === 'health' ? e.health || '' : short(e[key]))])))));
}

function cropSection() {
  if (!runs.some(run => run.crops)) {
    return;
  }
  section('crops', 'Crops the network saw', 'The first images of the epoch, each with all of its crops as the loader gave them to the'
      + ' network, random colours, blur and mirroring included. Can you still tell what they show? If not, neither can the network.',
      sides(run => {
        if (!run.crops) {
          return h('p', {}, 'The images of this run were not found.');
        }
        const {groups, images, epoch} = run.crops;
        return [h('p', {}, `Epoch ${epoch}: ` + groups.map(g => `${plural(g.count, 'crop')} of ${g.size} pixels, `
            + `${short(100 * g.minScale)} to ${short(100 * g.maxScale)} % of the area`).join('; ') + '.'),
          h('ul', {class: 'crops'}, images.map((name, i) => h('li', {}, h('span', {class: 'name'}, name),
            groups.map((g, n) => [...Array(g.count).keys()].map(c => tile(g.sheet, c * images.length + i,
                Math.round(Math.min(112, Math.max(32, 80 * g.size / groups[0].size))),
                `crop ${c + 1} of ${g.size} pixels of ${name}`))))))];
      }));
}

const orders = {
  'largest first': (a, b) => b.size - a.size,
  'smallest first': (a, b) => a.size - b.size,
  'purest first': (a, b) => (b.purity ?? -1) - (a.purity ?? -1) || b.size - a.size,
  'least pure first': (a, b) => (a.purity ?? 2) - (b.purity ?? 2) || b.size - a.size,
  'most like another first': (a, b) => (b.likeness ?? -2) - (a.likeness ?? -2),
  'by number': (a, b) => a.number - b.number,
};
const filters = {
  'all': () => true,
  'dead': p => p.size === 0,
  'copies': p => known(p.copyOf),
};

function prototypeCard(run, p) {
  return h('li', {}, h('div', {class: 'head'}, h('b', {}, 'Prototype ' + p.number), h('span', {}, plural(p.size, 'image')),
      p.size ? null : h('span', {class: 'tag'}, 'dead'),
      known(p.copyOf) ? h('span', {class: 'tag'}, 'copy of ' + p.copyOf) : null),
  h('div', {class: 'about'}, [known(p.purity) ? `${className(run, p.label)} ${(100 * p.purity).toFixed(0)} %` : null,
    known(p.likeness) ? `cosine to the nearest other ${p.likeness.toFixed(2)}` : null].filter(known).join(', ')),
  h('div', {class: 'row'}, p.typical.map(i => thumbnail(run, i, 40))));
}

function prototypeGallery(run, r) {
  const prototypes = run.sample ? run.sample.gallery.prototypes.map((p, number) => Object.assign({number}, p)) : [];
  if (!prototypes.length) {
    return h('p', {}, missing(run));
  }
  const page = 24;
  const list = h('ul', {class: 'cards'});
  const told = h('span', {role: 'status'});
  const more = h('button', {class: 'button', type: 'button', onclick: () => { shown += 4 * page; draw(); }}, 'Show more');
  const select = (name, of) => h('select', {'aria-label': name, onchange: () => { shown = page; draw(); }},
      Object.keys(of).map(key => h('option', {value: key}, key)));
  const order = select('Order of prototypes', orders);
  const filter = select('Which prototypes', filters);
  const settle = roving(list);
  let shown = page;
  function draw() {
    const chosen = prototypes.filter(filters[filter.value]).sort(orders[order.value]);
    list.replaceChildren(...chosen.slice(0, shown).map(p => prototypeCard(run, p)));
    told.textContent = `${Math.min(shown, chosen.length)} of ${chosen.length} shown`;
    more.hidden = shown >= chosen.length;
    settle();
  }
  draw();
  const dead = prototypes.filter(filters.dead).length;
  const copies = prototypes.filter(filters.copies).length;
  const labelled = prototypes.filter(p => known(p.purity));
  const images = labelled.reduce((sum, p) => sum + p.size, 0);
  return [h('p', {}, `${plural(prototypes.length, 'prototype')}, ${dead} dead, ${plural(copies, 'copy', 'copies')}`
      + (images ? `; purity ${percent(labelled.reduce((sum, p) => sum + p.purity * p.size, 0) / images)} over all images.` : '.')),
    h('div', {class: 'tools'}, filter, order, told), list, more,
    folded('All prototypes as a table', () => table('Prototypes of ' + run.name,
        [['number', 'number'], ['images', 'number'], ['most of them', ''], ['purity', 'number'], ['nearest other, cosine', 'number'], ['', '']],
        prototypes.map(p => [p.number, p.size, className(run, p.label) || '', known(p.purity) ? percent(p.purity) : '',
          known(p.likeness) ? p.likeness.toFixed(4) : '', p.size === 0 ? 'dead' : known(p.copyOf) ? 'copy of ' + p.copyOf : ''])))];
}

function missing(run) {
  return !run.sample ? last(run).epoch ? 'The images of this run were not found.' : 'There is nothing to see before the first epoch is done.'
      : 'This method has no prototypes.';
}

const sampleOf = run => run.sample
    ? `${plural(run.sample.names.length, 'image')} of the ${count(run.data.train)} to learn from, after epoch ${run.sample.epoch}.` : '';

const palette = [['#0b62b8', '#69aef5'], ['#b34a00', '#f79a55'], ['#1b7a3d', '#66cc88'], ['#8a3ab9', '#c896ea'],
  ['#b3261e', '#ff8f85'], ['#00707a', '#4fd0dc'], ['#8a6d00', '#e6c84d'], ['#5a5f66', '#aab2bc']];
const symbols = ['circle', 'triangle', 'rect', 'diamond'];
const dark = matchMedia('(prefers-color-scheme: dark)');

function map(run) {
  if (!run.sample) {
    return h('p', {}, missing(run));
  }
  const pictures = run.sample.gallery.pictures;
  const groups = new Map();
  pictures.forEach((p, i) => {
    const name = className(run, p.label) ?? (run.data.classes.length ? 'no class' : 'images');
    groups.set(name, [...(groups.get(name) || []), i]);
  });
  // Thirty-two can be told apart, by colour and shape.
  const named = [...groups].sort((a, b) => b[1].length - a[1].length);
  const shown = named.slice(0, 31);
  const rest = named.slice(31).flatMap(g => g[1]);
  const shares = run.sample.gallery.mapShares;
  const options = () => ({
    animation: false,
    grid: {left: 8, right: 8, top: 8, bottom: named.length > 1 ? 40 : 8},
    legend: {show: named.length > 1, bottom: 0, type: 'scroll', textStyle: {color: colour('text')}, pageIconColor: colour('link'),
      pageIconInactiveColor: colour('line'), pageTextStyle: {color: colour('soft')}},
    tooltip: {confine: true, backgroundColor: colour('panel'), borderColor: colour('line'), textStyle: {color: colour('text')},
      formatter: point => h('div', {class: 'tip'}, tile(run.sample.thumbnails, point.data[2], 64, null), h('span', {}, describe(run, point.data[2])))},
    xAxis: axis('', {axisLabel: {show: false}, axisTick: {show: false}, scale: true}),
    yAxis: axis('', {axisLabel: {show: false}, axisTick: {show: false}, scale: true}),
    series: [...shown, ...(rest.length ? [[plural(named.length - 31, 'other class', 'other classes'), rest]] : [])].map(([name, of], g) => ({
      name, type: 'scatter', symbol: symbols[Math.floor(g / palette.length) % symbols.length],
      symbolSize: pictures.length > 800 ? 6 : 9, color: palette[g % palette.length][dark.matches ? 1 : 0],
      itemStyle: {opacity: .85}, data: of.map(i => [pictures[i].x, pictures[i].y, i])
    }))
  });
  const made = figure('Features in two dimensions', `${plural(pictures.length, 'image')}; the two directions hold `
      + `${percent(shares[0])} and ${percent(shares[1])} of the variance. The table below has the same images.`,
  options, point => show(run, point.data[2]), 'map');
  return [made, h('p', {class: 'note'}, `The two directions hold ${percent(shares[0])} and ${percent(shares[1])} of the variance.`),
    folded('All images as a table', () => table('Images of the map of ' + run.name,
        [['image', ''], ['class', ''], ['prototype', 'number'], ['x', 'number'], ['y', 'number']],
        pictures.map((p, i) => [h('span', {}, thumbnail(run, i, 24), ' ', run.sample.names[i]), className(run, p.label) || '',
          p.prototype ?? '', short(p.x), short(p.y)])))];
}

function neighbourSection() {
  section('neighbours', 'Nearest neighbours', 'Images and those whose features are most similar (cosine), best first; a red frame marks'
      + ' one of another class. Good features have neighbours that show the same thing.',
      sides(run => {
        if (!run.sample) {
          return h('p', {}, missing(run));
        }
        const n = run.sample.names.length;
        const chosen = [...new Set([...Array(Math.min(12, n)).keys()].map(k => Math.floor(k * n / Math.min(12, n))))];
        const list = h('ul', {class: 'neighbours'}, chosen.map(i => h('li', {}, thumbnail(run, i, 56), neighbours(run, i, 40))));
        roving(list);
        return list;
      }));
}

function settingSection() {
  const value = v => v === '' ? '\u2013' : v;
  const flag = v => h('code', {title: v.help}, '--' + v.flag);
  const row = (v, i) => [flag(v), ...runs.map(run => {
    const own = run.settings[i];
    return {content: value(own.value), class: own.value !== own.preset ? 'other' : ''};
  }), ...runs.map(run => value(run.settings[i].preset))];
  const heads = [['setting', ''], ...runs.map((run, r) => [two ? letters[r] + ': ' + run.name : 'this run', '']),
    ...runs.map((run, r) => [(two ? letters[r] + "'s preset, " : 'preset ') + run.preset, ''])];
  const all = runs[0].settings;
  const differing = all.filter((v, i) => runs.some(run => run.settings[i].value !== run.settings[i].preset));
  const between = two ? all.filter((v, i) => runs[0].settings[i].value !== runs[1].settings[i].value) : [];
  const rows = of => of.map(v => row(v, all.indexOf(v)));
  section('settings', 'Settings', `The preset shown is the one with the most values in common.`,
      two ? between.length ? table('Settings that differ between the two runs', heads, rows(between))
          : h('p', {}, 'The two runs have the same settings.') : null,
      two ? folded('What differs from the presets', () => table('Settings that differ from the presets', heads, rows(differing)))
          : differing.length ? table('Settings that differ from the preset', heads, rows(differing)) : h('p', {}, 'All are those of the preset.'),
      folded('All settings', () => table('All settings', heads, rows(all))));
}

function dataSection() {
  const list = pairs => h('dl', {class: 'facts'}, pairs.filter(p => p[1]).map(([name, text]) =>
      h('div', {}, h('dt', {}, name), h('dd', {}, h('small', {}, text)))));
  section('data', 'Data and environment', null, sides(run => {
    const d = run.data;
    return [list([['Data', d.spec], ['Images to learn from', count(d.train)], ['Images held out', known(d.test) ? count(d.test) : 'not found'],
      ['Channels', d.channels === 1 ? '1, grey' : d.channels + ', colour'], ['Classes', d.classes.length ? count(d.classes.length) : 'none'],
      ['Digest (SHA-256 of names, labels, sizes)', d.digest]]),
    d.classes.length ? folded('Images of each class', () => table('Images to learn from, by class of ' + run.name, [['class', ''], ['images', 'number']],
        d.classes.map((name, c) => [name, count(d.perClass[c])]))) : null,
    run.environment.map(e => [list([[e.step ? 'Went on after step ' + count(e.step) + ' on' : 'Computed by', e.machine],
      ['Java', e.java], ['System', e.system]]),
    e.changes.length ? h('ul', {}, e.changes.map(c => h('li', {}, c))) : null])];
  }));
}

// --- The page -------------------------------------------------------------------------------------------------------

document.getElementById('title').textContent = two ? runs.map((run, r) => letters[r] + ': ' + run.name).join(' and ') : runs[0].name;
document.getElementById('lead').textContent = runs.map(run => `${run.method} on ${run.data.spec}`).filter((t, i, all) => all.indexOf(t) === i).join('; ');
document.title = runs.map(run => run.name).join(' and ') + ' \u2013 swav4j';

section('summary', 'Summary', null, sides(run => [facts(run), healthLine(run), advice(run)]));
curveSection();
cropSection();
section('prototypes', 'Prototypes', 'Each with its most typical images of the sample. Dead: no image of the sample has it as its nearest. Copy:'
    + ' its cosine to another is above 0.9999. Purity: the share of the most frequent class.',
    sides((run, r) => [h('p', {class: 'note'}, sampleOf(run)), prototypeGallery(run, r)]));
section('map', 'Map of features', 'The two principal components of the features at unit length (PCA, linear: what lies together here may still differ). Point at an'
    + ' image to see it, click for its neighbours.',
    sides(run => [h('p', {class: 'note'}, sampleOf(run)), map(run)]));
neighbourSection();
settingSection();
dataSection();
document.getElementById('footer').textContent = 'Written ' + runs.map(run => run.written
    + (run.sample ? `; the look at ${plural(run.sample.names.length, 'image')} took ${run.sample.seconds.toFixed(1)} s` : '')).join('; ') + '. swav4j';

drawCharts();
dark.addEventListener('change', drawCharts);
new ResizeObserver(() => charts.forEach(c => c.drawn.resize())).observe(main);
