// Asks every sensor for its state: sensors.js URL COUNT
const { Agent, request } = require('undici');

const [base, count] = process.argv.slice(2);
const dispatcher = new Agent({ connections: 4, pipelining: 1 });

async function state(sensor) {
  const { statusCode, body } = await request(`${base}/plain?n=${sensor}`, { dispatcher });
  const text = await body.text();
  return statusCode === 200 ? text.trim() : 'unknown';
}

async function main() {
  const sensors = Array.from({ length: Number(count) }, (_, sensor) => sensor);
  const states = await Promise.all(sensors.map(state));
  await dispatcher.close();
  console.log(`${states.length} sensors say ${[...new Set(states)]}`);
}

main();
