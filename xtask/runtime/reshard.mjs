// Asks an edge for another number of shards, and says how far it has come until all buckets have moved.
//
// Called by `cargo xtask reshard`, with URL, KEY and SHARDS in the environment.
const { URL: base, KEY: key, SHARDS: shards } = process.env;

/** Calls the server API; whatever is no answer is tried again by whoever asks for it. */
async function call(method, body) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const response = await fetch(new URL('/api/shards', base), { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${response.status}: ${answer.error?.message ?? 'no reason was given'}`);
  return answer;
}

const asked = await call('PUT', { shards: Number(shards) });
console.error(`  ${asked.shards} shards now, ${asked.wanted} wanted: ${asked.remaining} of 1024 buckets have to move`);
let { remaining } = asked;
let failed = 0;
while (remaining > 0) {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  try {
    const now = await call('GET');
    if (now.wanted !== asked.wanted) throw new Error(`somebody else asked for ${now.wanted} shards`);
    if (now.remaining < remaining) console.error(`  ${now.remaining} to go`);
    ({ remaining } = now);
    failed = 0;
  } catch (error) {
    failed += 1;
    // The edge goes on by itself: only watching it ends here.
    if (failed > 30) throw error;
  }
}
console.error(`  done: ${asked.wanted} shards`);
