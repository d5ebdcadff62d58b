// Loads tickets, each by one of some workers: tickets.mjs URL COUNT
const base = process.argv[2];
const N_WORKERS = 3;

async function load(ticket) {
  const response = await fetch(new URL(`/json/1k?n=${ticket}`, base));
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}

async function worker(queue, loaded) {
  for (let ticket = queue.pop(); ticket !== undefined; ticket = queue.pop()) {
    loaded.push(await load(ticket));
  }
}

const queue = [...Array(Number(process.argv[3])).keys()];
const loaded = [];
const workers = [];
for (let i = 0; i < N_WORKERS; i++) {
  workers.push(worker(queue, loaded));
}
await Promise.all(workers);
console.log(loaded.length, 'tickets');
