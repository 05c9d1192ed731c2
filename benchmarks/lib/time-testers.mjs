// Run by the test-kit section, in a project: how long the test kit takes to load, and each tester to be ready, one after the other.
const [count] = process.argv.slice(2).map(Number);
const began = performance.now();
const { createMotiaTester } = await import(import.meta.resolve('motia/testing'));
const loaded = performance.now() - began;
const ready = [];
for (let number = 0; number < count; number++) {
  const from = performance.now();
  const tester = await createMotiaTester();
  ready.push(performance.now() - from);
  const { status } = await tester.get('/hello');
  if (status !== 200) throw new Error(`the tester answers ${status}`);
  await tester.close();
}
process.stdout.write(JSON.stringify({ loaded, ready }));
