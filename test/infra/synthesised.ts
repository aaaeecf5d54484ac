/** The stack as the app makes it, synthesised without bundling: what the template says does not depend on the code inside. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { projectFile } from '../../infra/project.ts';
import { VolmoveStack } from '../../infra/stack.ts';

export interface Resource {
  readonly logicalId: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy: string | undefined;
}

export interface Synthesised {
  readonly template: Template;
  /** Resources of one CloudFormation type. */
  readonly ofType: (type: string) => Resource[];
  readonly remove: () => void;
}

const TEMPLATE = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DeletionPolicy: z.string().optional(),
    }),
  ),
});

const cdkContext = (): Record<string, unknown> =>
  z
    .object({ context: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(readFileSync(projectFile('cdk.json'), 'utf8'))).context;

export const synthesise = (hostIds: readonly string[]): Synthesised => {
  const outdir = mkdtempSync(join(tmpdir(), 'volmove-synth-'));
  const app = new App({
    outdir,
    // the runner maps every stack trace back to sources, which costs seconds when CDK takes one a construct
    context: { ...cdkContext(), 'aws:cdk:bundling-stacks': [], 'aws:cdk:disable-stack-trace': true },
  });
  const stack = new VolmoveStack(app, 'Volmove', {
    hostIds,
    env: { account: '123456789012', region: 'eu-central-1' },
  });
  const template = Template.fromStack(stack);
  const resources = Object.entries(TEMPLATE.parse(template.toJSON()).Resources).map(
    ([logicalId, { Type, Properties, DeletionPolicy }]) => ({ logicalId, Type, Properties, DeletionPolicy }),
  );
  return {
    template,
    ofType: (type) => resources.filter((resource) => resource.Type === type),
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
};

/** A value with CloudFormation's functions answered as they would be: a reference by its logical id, joins joined. */
export const resolved = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const intrinsic = z
    .union([
      z.object({ Ref: z.string() }).transform(({ Ref }) => (Ref === 'AWS::Partition' ? 'aws' : Ref)),
      z.object({ 'Fn::GetAtt': z.array(z.string()) }).transform((get) => get['Fn::GetAtt'].join('.')),
      z
        .object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) })
        .transform(({ 'Fn::Join': [by, parts] }) => parts.map(resolved).join(by)),
    ])
    .parse(value);
  return intrinsic;
};
