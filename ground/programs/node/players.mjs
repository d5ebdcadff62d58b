// Loads players through a pool of promises as libraries have it: players.mjs URL COUNT
const [base, count] = process.argv.slice(2);

function limited(concurrency) {
  const waiting = [];
  let active = 0;
  const next = () => {
    active--;
    if (waiting.length) waiting.shift()();
  };
  return (task) => new Promise((resolve, reject) => {
    const run = () => {
      active++;
      task().then(resolve, reject).finally(next);
    };
    if (active < concurrency) run();
    else waiting.push(run);
  });
}

const limit = limited(4);
const load = async (number) => {
  const response = await fetch(`${base}/bytes/1k?n=${number}`);
  return (await response.arrayBuffer()).byteLength;
};
const sizes = await Promise.all(Array.from({ length: Number(count) }, (_, number) => limit(() => load(number))));
console.log(`${sizes.length} players, ${sizes.reduce((a, b) => a + b)} bytes`);
