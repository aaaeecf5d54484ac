import type { SweepCommand } from '../../../functions/upkeep/sweep.ts';
import type { Chance } from './random.ts';
import type { Sim } from './sim.ts';
import type { Kind, Move, Stage } from './stage.ts';

/** What may befall hosts, executions and bytes; and what happens by itself: time, the sweeper, agents that look. */

const accident = (stage: Stage, weight: number, kind: Kind, what: string, act: () => unknown): Move => ({
  weight: weight * stage.mood[kind],
  label: `${kind}: ${what}`,
  act: () => {
    stage.left.accidents -= 1;
    stage.saw.add(kind);
    return act();
  },
});

/** It is about to put bytes on the network: they may arrive long after it has died. */
const isSending = ({ turns }: Sim, hostId: string): boolean =>
  turns.pending().some(({ thread, onTheNetwork }) => onTheNetwork && thread.hostId === hostId);

/** Nothing keeps what the volume lives on or keeps from rotting, nor what was read back; only a copy is proved. */
const mayRot = ({ table, world }: Sim, name: string): boolean => {
  const kept = table.peek.volumes().flatMap(({ location, retained }) => [location, ...retained.map((r) => r.object)]);
  const exports = [...world.hosts.values()].flatMap((host) => [...host.exports.values()]);
  return !kept.some((object) => object?.objectName === name) && !exports.some((e) => e.objectName === name && e.asked);
};

export const accidents = (stage: Stage): Move[] => {
  const { sim, chance, left } = stage;
  if (left.accidents <= 0) return [];
  const { world, agents, engine } = sim;
  const up = [...world.hosts.values()].filter((host) => host.up && !host.paused);
  const running = engine.executions().filter((execution) => execution.status.state === 'RUNNING');
  const rotting = [...world.objects.values()].filter(({ name, content }) => content[1] >= 0 && mayRot(sim, name));
  return [
    ...up.map(({ id }) => accident(stage, isSending(sim, id) ? 0.05 : 0.001, 'crash', id, () => agents.crash(id))),
    ...up.map((host) => accident(stage, 0.002, 'pause', host.id, () => Object.assign(host, { paused: true }))),
    ...running.map((x) =>
      accident(stage, 0.004, 'abort', x.name, () => engine.abort(x, chance.happens(0.5) ? 'ABORTED' : 'FAILED')),
    ),
    ...running
      .filter((x) => x.task)
      .map((x) => accident(stage, 0.008, 'time-out', `${x.name} in ${x.state}`, () => engine.timeOut(x))),
    ...rotting.map((object) =>
      accident(stage, 0.1, 'bit flip', object.name, () => {
        object.content = [object.content[0], -2];
      }),
    ),
  ];
};

/** A plain pass; now and then one that reads everything, or takes old jobs off their hosts' lists. */
export const howToSweep = (chance: Chance): SweepCommand => ({ full: chance.happens(0.2), tidy: chance.happens(0.3) });

export const courseOfThings = ({ sim, chance, options }: Stage): Move[] => {
  const { turns, world, agents, statusEvents } = sim;
  const sweeping = turns.pending().filter(({ thread }) => thread.name === 'sweeper').length;
  const down = [...world.hosts.values()].filter((host) => !host.up || host.paused);
  const upkeep: Move[] = [
    { weight: sweeping < 2 ? 0.05 : 0, label: 'the sweeper comes', act: () => sim.sweep(howToSweep(chance)) },
    ...statusEvents.map((execution) => ({
      weight: execution.machine === 'migrate-volume' ? 0.1 : 0,
      label: `the reconciler hears of ${execution.name}`,
      act: () => {
        statusEvents.splice(statusEvents.indexOf(execution), 1);
        sim.reconcile(execution);
      },
    })),
  ];
  return [
    { weight: 0.06, label: 'time passes', act: () => sim.passTime(500 + chance.below(5_000)) },
    ...(options.sweeper === false ? [] : upkeep),
    ...down.map(({ id }) => ({ weight: 0.06, label: `restart: ${id}`, act: () => agents.restart(id) })),
    ...agents.ready().map((job) => ({ weight: 0.5, label: `agent begins ${job.id}`, act: () => agents.begin(job) })),
  ];
};
