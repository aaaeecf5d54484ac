/** The CDK app. Account and region come from whoever deploys; nothing here looks anything up. */
import { App } from 'aws-cdk-lib';
import { parseHosts } from '../hosts.ts';
import { VolmoveStack } from '../stack.ts';

const app = new App();
new VolmoveStack(app, 'Volmove', {
  description: 'Moves block volumes between storage backends and hosts',
  hostIds: parseHosts(app.node.tryGetContext('volmove:hosts')),
});
