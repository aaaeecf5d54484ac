/** The HTTP API: whatever is asked goes to the one API Lambda, which knows the routes. */
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface VolumeApiProps {
  readonly handler: IFunction;
}

export class VolumeApi extends Construct {
  readonly api: HttpApi;

  constructor(scope: Construct, id: string, { handler }: VolumeApiProps) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', {
      apiName: 'volmove',
      description: 'Block Storage API v3 and the migrations beside it',
      defaultIntegration: new HttpLambdaIntegration('Handler', handler),
      // the Lambda knows only `noauth` so far, which is for loopback: until it checks tokens, callers sign their requests
      defaultAuthorizer: new HttpIamAuthorizer(),
    });
  }
}
