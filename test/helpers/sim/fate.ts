import type { Job } from '../../../domain/job/job.ts';
import type { SweepCommand } from '../../../functions/upkeep/sweep.ts';
import type { Chance } from './random.ts';
import type { Sim } from './sim.ts';
import type { Kind, Move, Stage } from './stage.ts';

/** What may befall hosts, executions and bytes; and what happens by itself: time, the sweeper, agents that look. */

const accident = (
  stage: Stage,
  weight: number,
  kind: Kind,
  what: string,
  act: () => unknown,
  seenAs: string = kind,
): Move => ({
  weight: weight * stage.mood[kind],
  label: `${seenAs}: ${what}`,
  act: () => {
    stage.left.accidents -= 1;
    stage.saw.add(seenAs);
    return act();
  },
});

/** It is about to put bytes on the network: they may arrive long after it has died. */
const isSending = ({ turns }: Sim, hostId: string): boolean =>
  turns.pending().some(({ thread, onTheNetwork }) => onTheNetwork && thread.hostId === hostId);

/** Nothing keeps what the volume lives on or keeps from rotting, nor what was read back; only a copy is proved. */
const mayRot = ({ table, world }: Sim): string[] => {
  const kept = table.peek
    .volumes()
    .flatMap(({ location, retained }) => [location?.objectName, ...retained.map((r) => r.object.objectName)]);
  const readBack = [...world.hosts.values()].flatMap((host) =>
    [...host.exports.values()].filter(({ asked }) => asked).map(({ objectName }) => objectName),
  );
  // what a backend moves by itself is the volume, whatever the record says meanwhile
  const moved = table.peek.volumes().map(({ claim }) => claim?.move?.destination.objectName);
  const safe = new Set([...kept, ...readBack, ...moved]);
  return [...world.objects.values()]
    .filter(({ name, content }) => content[1] >= 0 && !safe.has(name))
    .map((o) => o.name);
};

const hostAccidents = (stage: Stage): Move[] => {
  const { sim, chance } = stage;
  const { world, agents } = sim;
  const up = [...world.hosts.values()].filter((host) => host.up && !host.paused);
  return up.flatMap((host) => [
    accident(stage, isSending(sim, host.id) ? 0.05 : 0.001, 'crash', host.id, () => agents.crash(host.id)),
    accident(stage, 0.002, 'pause', host.id, () => Object.assign(host, { paused: true })),
    accident(stage, 0.003, 'lost host', host.id, () => {
      // frozen, or dead, for longer than anybody waits for it; so its jobs fail while it may still be about to do something
      if (chance.happens(0.7)) Object.assign(host, { paused: true });
      else agents.crash(host.id);
      stage.absentUntilMs.set(host.id, sim.clock.nowMs() + 25_000);
    }),
  ]);
};

const executionAccidents = (stage: Stage): Move[] => {
  const { sim, chance } = stage;
  const { engine } = sim;
  const running = engine.executions().filter((execution) => execution.status.state === 'RUNNING');
  return [
    ...running.flatMap((x) => [
      accident(stage, 0.003, 'abort', x.name, () => engine.abort(x, 'ABORTED')),
      accident(stage, 0.003, 'abort', x.name, () => engine.abort(x, 'FAILED'), 'States.Runtime'),
    ]),
    ...running
      .filter((x) => x.task)
      .map((x) => accident(stage, 0.008, 'time-out', `${x.name} in ${x.state}`, () => engine.timeOut(x))),
    accident(stage, running.length > 0 ? 0.006 : 0, 'redeploy', `${running.length} executions are stopped`, () => {
      for (const execution of running) engine.abort(execution, chance.happens(0.8) ? 'ABORTED' : 'FAILED');
    }),
  ];
};

/** A message reaches the agent: it looks, when there is anything that it does not know. */
const lookAt = ({ agents }: Sim, hostId: string): void => {
  const job = agents.ready().find((ready) => ready.hostId === hostId);
  if (job) agents.begin(job);
};

const lostWords = (stage: Stage): Move[] => {
  const { messages, statusEvents } = stage.sim;
  return [
    ...messages
      .underWay()
      .flatMap((id) => [
        accident(stage, 0.03, 'message', id, () => messages.take(id), 'message lost'),
        accident(stage, 0.03, 'message', id, () => lookAt(stage.sim, id), 'message repeated'),
      ]),
    ...statusEvents.flatMap((execution) => [
      accident(
        stage,
        0.1,
        'status event',
        execution.name,
        () => statusEvents.splice(statusEvents.indexOf(execution), 1),
        'status event lost',
      ),
      accident(
        stage,
        0.1,
        'status event',
        execution.name,
        () => stage.sim.reconcile(execution),
        'status event repeated',
      ),
    ]),
  ];
};

export const accidents = (stage: Stage): Move[] => {
  if (stage.left.accidents <= 0) return [];
  const { mood, sim } = stage;
  const rotting = mood['bit flip'] > 0 ? mayRot(sim) : [];
  return [
    ...hostAccidents(stage),
    ...executionAccidents(stage),
    ...lostWords(stage),
    ...rotting.map((name) =>
      accident(stage, 0.1, 'bit flip', name, () => {
        const object = sim.world.objects.get(name);
        if (object) object.content = [object.content[0], -2];
      }),
    ),
  ];
};

/** A plain pass; now and then one that reads everything, or takes old jobs off their hosts' lists. */
export const howToSweep = (chance: Chance): SweepCommand => ({ full: chance.happens(0.2), tidy: chance.happens(0.3) });

const upkeep = ({ sim, chance }: Stage): Move[] => {
  const { turns, statusEvents } = sim;
  const sweeping = turns.pending().filter(({ thread }) => thread.name === 'sweeper').length;
  return [
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
};

/** A host that came back looks at once. */
const comeBack = ({ sim, saw, absentUntilMs }: Stage, hostId: string): void => {
  const gaveUp = (job: Job): boolean => job.stage.state === 'failed' && job.stage.failure.code === 'HostLost';
  const wasFrozen = sim.world.host(hostId).paused;
  if (sim.table.peek.jobsOf(hostId).some(gaveUp))
    saw.add(wasFrozen ? 'wakes up after it was lost' : 'back after it was lost');
  absentUntilMs.delete(hostId);
  sim.agents.restart(hostId);
};

const agentsLook = (stage: Stage): Move[] => {
  const { sim } = stage;
  const { world, agents, messages, clock } = sim;
  const hosts = [...world.hosts.values()];
  const isAwake = (id: string): boolean => world.host(id).up && !world.host(id).paused;
  const isAway = (id: string): boolean => clock.nowMs() < (stage.absentUntilMs.get(id) ?? 0);
  return [
    ...hosts
      .filter(({ id }) => !isAwake(id))
      .map(({ id }) => ({ weight: isAway(id) ? 0 : 0.06, label: `restart: ${id}`, act: () => comeBack(stage, id) })),
    ...messages
      .underWay()
      .filter(isAwake)
      .map((id) => ({
        weight: 0.5,
        label: `look: ${id}`,
        act: () => {
          messages.take(id);
          lookAt(sim, id);
        },
      })),
    // by themselves: at their start, when a place is free, and every 30 s
    ...agents.ready().map((job) => ({ weight: 0.02, label: `looks for ${job.id}`, act: () => agents.begin(job) })),
  ];
};

export const courseOfThings = (stage: Stage): Move[] => {
  const { sim, chance, options, absentUntilMs } = stage;
  // time goes faster for whoever waits for a host
  const hurry = absentUntilMs.size > 0 ? 3 : 1;
  return [
    { weight: 0.06 * hurry, label: 'time passes', act: () => sim.passTime(500 + chance.below(5_000)) },
    { weight: 0.04, label: 'the indexes catch up', act: () => sim.table.catchUp() && stage.saw.add('indexes lag') },
    ...(options.sweeper === false ? [] : upkeep(stage)),
    ...agentsLook(stage),
  ];
};
