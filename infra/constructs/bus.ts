/** The bus that subscribers put their rules on. Its name is part of the product's face, so it is fixed. */
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';

export class VolumeBus extends Construct {
  readonly bus: EventBus;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: 'volmove',
      description: 'Volume Migration Started, Progress, Stalled, Ended and Cleanup events',
    });
  }
}
