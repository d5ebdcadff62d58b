// Reads what weather stations measured: stations.js URL COUNT
'use strict';
const http = require('http');

const agent = new http.Agent({ keepAlive: true, maxSockets: 5 });

function measurement(url) {
  return new Promise((resolve, reject) => {
    http.get(url, { agent }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts)));
      response.on('error', reject);
    }).on('error', reject);
  });
}

async function main() {
  const [base, count] = process.argv.slice(2);
  const jobs = [];
  for (let station = 0; station < Number(count); station++) {
    jobs.push(measurement(`${base}/json/1k?n=${station}`));
  }
  const found = await Promise.all(jobs);
  agent.destroy();
  console.log(`${found.length} stations, ${found.reduce((sum, data) => sum + data.length, 0)} bytes`);
}

main();
