// The rounds of a section about events: each system in turn, with the processor time that each event took.
import { cpuSeconds } from './processes.mjs';

/**
 * @template Result
 * @template {{ name: string, clients: number[], broker: number }} System with the ids of its processes
 * @param {System[]} systems
 * @param {{ rounds: number, events: number }} options
 * @param {(system: System, events: number) => Promise<Result>} measure
 */
export async function measureRounds(systems, { rounds, events }, measure) {
  for (const system of systems) await measure(system, Math.ceil(events / 3)); // warm-up
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    for (const system of inTurn(systems, number)) {
      const before = cpuOf(system);
      const result = await measure(system, events);
      const after = cpuOf(system);
      const micros = (role) => ((after[role] - before[role]) / events) * 1e6;
      measured.push({
        round: number,
        system: system.name,
        ...result,
        clientMicros: micros('clients'),
        brokerMicros: micros('broker'),
      });
    }
  }
  return measured;
}

/** Each round begins with another one: what runs after an idle moment, or after the heaviest, is not always the same. */
export const inTurn = (systems, round) => systems.map((_, i) => systems[(i + round) % systems.length]);

const cpuOf = ({ clients, broker }) => ({
  clients: clients.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
  broker: cpuSeconds(broker),
});
