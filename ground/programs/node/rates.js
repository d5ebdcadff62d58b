// Collects exchange rates of many days: rates.js URL COUNT
'use strict';
const https = require('https');

const N_WORKERS = 16;
const agent = new https.Agent({ maxSockets: 50 });

function get(url) {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => { text += part; });
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}

async function worker(base, days, rates) {
  while (days.length) {
    const day = days.pop();
    rates.set(day, await get(`${base}/json/1k?n=${day}`));
  }
}

async function main(base, count) {
  const days = [...Array(count).keys()];
  const rates = new Map();
  await Promise.all(Array.from({ length: N_WORKERS }, () => worker(base, days, rates)));
  console.log('days:', rates.size);
}

main(process.argv[2], Number(process.argv[3]));
