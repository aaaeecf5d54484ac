import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { type ApiRequest, type Caller, param, type Reply } from '../http/exchange.ts';
import type { Microversion } from '../http/microversion.ts';
import { enforce, type Policy } from '../http/policy.ts';
import { findVolume } from '../volumes/visible.ts';

/** One action of POST /volumes/{id}/action. */
export interface ActionSpec<P> {
  readonly policy: Policy;
  readonly parse: (payload: unknown, version: Microversion) => P;
  readonly run: (deps: Deps) => (call: ActionCall<P>) => Promise<Reply>;
}

export interface ActionCall<P> {
  readonly caller: Caller;
  /** As it was when the caller's right to see it was checked: rules ask again on what stands there. */
  readonly volume: Volume;
  readonly payload: P;
}

export type Action = (deps: Deps) => (request: ApiRequest, payload: unknown) => Promise<Reply>;

/** The standard's order of checks: the body, the volume, the policy, then the action itself. */
export const action =
  <P>({ policy, parse, run }: ActionSpec<P>): Action =>
  (deps) =>
  async (request, payload) => {
    const { caller, version } = request;
    const parsed = parse(payload, version);
    const volume = await findVolume(deps)(caller, param(request, 'id'));
    enforce(caller, policy);
    return run(deps)({ caller, volume, payload: parsed });
  };
