// Runs a timeline's script with a stand-in for the page: node timeline-check.js PAGE SEARCH. Prints what it saw as JSON.
'use strict';
const fs = require('fs');
const vm = require('vm');
const page = fs.readFileSync(process.argv[2], 'utf8');
const section = id => page.match(new RegExp('<script id="' + id + '"[^>]*>([^]*?)</script>'))[1];
const script = page.match(/<script>\n('use strict';[^]*)<\/script>/)[1];

const drawn = { rectangles: 0, texts: [] };
const pen = new Proxy({}, {
  get: (target, name) => name in target ? target[name]
    : name === 'measureText' ? text => ({ width: text.length * 7 })
    : name === 'fillRect' ? (x, y, width, height) => {
        if (![x, y, width, height].every(Number.isFinite)) throw new Error('not a rectangle: ' + [x, y, width, height]);
        drawn.rectangles++;
      }
    : name === 'fillText' ? text => drawn.texts.push(text) : () => {},
  set: (target, name, value) => { target[name] = value; return true; },
});
const element = text => ({
  textContent: text || '', style: {}, dataset: {}, children: [], listeners: {},
  clientWidth: 1000, clientHeight: 600, className: '',
  classList: { toggle() {} },
  appendChild(child) { this.children.push(child); },
  addEventListener(what, action) { this.listeners[what] = action; },
  getContext: () => pen,
});
const elements = { meta: element(section('meta')), records: element(section('records')), written: element(section('written')) };
const body = element();
const document = {
  body, getElementById: id => elements[id] = elements[id] || element(), createElement: () => element(),
  addEventListener() {},
};
const context = vm.createContext({
  document, getComputedStyle: () => ({ color: '#000' }), addEventListener() {}, atob, Blob, Response, DecompressionStream, TextDecoder, console,
});
vm.runInContext(script + '\n;globalThis.probe = { view, select, find, step, zoom, draw, nearest, command, describe: i => describe(model, i),'
  + ' state: () => ({ model, lanes, order }) };', context);

(async () => {
  for (let i = 0; i < 2000 && body.dataset.ready !== 'yes'; i++) await new Promise(done => setTimeout(done, 5));
  if (body.dataset.ready !== 'yes') throw new Error('not ready: ' + JSON.stringify(elements.detail && elements.detail.textContent));
  const probe = context.probe;
  const all = drawn.rectangles;
  probe.find(process.argv[3]);
  probe.step(1);
  const selected = probe.view.selected;
  const begin = Date.now();
  for (let i = 0; i < 12; i++) probe.zoom(0.5);
  for (let i = 0; i < 12; i++) probe.zoom(2);
  const draws = Date.now() - begin;
  const { model, lanes, order } = probe.state();
  console.log(JSON.stringify({
    events: model.count, tasks: lanes.length, depths: order.map(place => place.depth),
    states: lanes.map(lane => [...new Set(lane.states)].sort()),
    rectangles: all, milliseconds: draws / 24, matches: probe.view.matches.length, selected: selected + 1,
    described: selected < 0 ? '' : probe.describe(selected), command: selected < 0 ? '' : probe.command(selected),
    texts: [...new Set(drawn.texts)].slice(0, 40), nearest: probe.nearest(500, 30),
    output: elements.output.children.map(child => child.textContent),
  }));
})().catch(error => { console.error(error); process.exit(1); });
