// The task resources this engine can call, by their ARN in the definition.

export interface TaskResource {
  readonly arn: string;
  /** As history events name them, such as `lambda` and `invoke.waitForTaskToken`. */
  readonly resourceType: 'lambda' | 'events';
  readonly resource: string;
  readonly waitsForToken: boolean;
  /** The keys of Arguments; others would be silently without effect. */
  readonly argumentKeys: readonly string[];
  readonly requiredKeys: readonly string[];
}

const LAMBDA = {
  resourceType: 'lambda',
  argumentKeys: ['FunctionName', 'Payload'],
  requiredKeys: ['FunctionName'],
} as const;

export const TASK_RESOURCES: readonly TaskResource[] = [
  { ...LAMBDA, arn: 'arn:aws:states:::lambda:invoke', resource: 'invoke', waitsForToken: false },
  {
    ...LAMBDA,
    arn: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    resource: 'invoke.waitForTaskToken',
    waitsForToken: true,
  },
  {
    arn: 'arn:aws:states:::events:putEvents',
    resourceType: 'events',
    resource: 'putEvents',
    waitsForToken: false,
    argumentKeys: ['Entries'],
    requiredKeys: ['Entries'],
  },
];
