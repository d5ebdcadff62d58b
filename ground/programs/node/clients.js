// A client in the manner of axios or got, over an agent of its own: clients.js URL COUNT
const http = require('node:http');
const https = require('node:https');

class Client {
  constructor(base) {
    this.base = base;
    this.transport = base.startsWith('https:') ? https : http;
    this.agent = new this.transport.Agent({ timeout: 30_000 });
  }

  get(path) {
    return new Promise((resolve, reject) => {
      const request = this.transport.request(`${this.base}${path}`, { agent: this.agent }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode, data: Buffer.concat(parts) }));
      });
      request.on('error', reject);
      request.end();
    });
  }
}

async function main() {
  const [base, count] = process.argv.slice(2);
  const client = new Client(base);
  const numbers = Array.from({ length: Number(count) }, (_, number) => number);
  let fine = 0;
  await Promise.all(Array.from({ length: 20 }, async () => {
    while (numbers.length) {
      const answer = await client.get(`/json/2k?n=${numbers.shift()}`);
      fine += answer.status === 200;
    }
  }));
  console.log(`${count} clients, ${fine} fine`);
}

main();
