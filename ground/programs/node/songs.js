// Lists songs: songs.js URL COUNT
const { Pool } = require('undici');

const [base, count] = process.argv.slice(2);
const pool = new Pool(base, { connections: 64 });

async function song(number) {
  const { body } = await pool.request({ path: `/bytes/2k?n=${number}`, method: 'GET' });
  return (await body.text()).length;
}

async function main() {
  const sizes = await Promise.all([...Array(Number(count)).keys()].map(song));
  await pool.close();
  console.log(sizes.length, 'songs,', sizes.reduce((sum, size) => sum + size, 0), 'characters');
}

main();
