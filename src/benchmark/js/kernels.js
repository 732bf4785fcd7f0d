// What scripts do: objects, strings, arrays, maps, JSON and floating point, so that the compiler and the collector have work.
const kernels = [
  function objects() {
    let head = null;
    for (let i = 0; i < 400000; i++) {
      head = { next: i % 50 ? head : null, value: i, plus(x) { return x + this.value; } };
      if (head.next) head.value += head.next.plus(i) & 7;
    }
    return head.value;
  },
  function strings() {
    let text = '';
    for (let i = 0; i < 300000; i++) {
      text += String.fromCharCode(97 + i % 26);
      if (text.length > 5000) text = text.replace(/[aeiou]+/g, vowels => vowels.toUpperCase()).slice(-100);
    }
    return text.length;
  },
  function arrays() {
    const array = Array.from({ length: 100000 }, (_, i) => i * 7919 % 10007).sort((x, y) => x - y);
    return array.filter(x => x & 1).map(x => x * 3).reduce((x, y) => (x + y) % 1000003, 0);
  },
  function maps() {
    const map = new Map();
    for (let i = 0; i < 200000; i++) map.set('k' + i % 997, (map.get('k' + i * 31 % 997) || 0) + i);
    return [...map.values()].reduce((x, y) => (x + y) % 1000003, 0);
  },
  function json() {
    let object = {};
    for (let i = 0; i < 20000; i++) {
      object['p' + i % 100] = [i, { a: i, b: 'x' + i }];
      if (i % 50 === 0) object = JSON.parse(JSON.stringify(object));
    }
    return JSON.stringify(object).length;
  },
  function floats() {
    const line = new Float64Array(1024);
    for (let round = 0; round < 500; round++)
      for (let i = 1; i < 1023; i++) line[i] = (line[i - 1] + line[i + 1]) / 2 + Math.sin(i + round);
    return Math.round(line[512]);
  },
];
let sum = 0;
for (let round = 0; round < Number(process.argv[2]); round++)
  for (const kernel of kernels) sum = (sum * 31 + kernel()) % 1000003;
console.log(sum);
