/** One Lambda from its entry in infra/functions.ts: bundled as one ES module, with the SDK at the version under test. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionDefinition } from '../functions.ts';
import { projectFile, projectRoot } from '../project.ts';

export interface HandlerFunctionProps {
  readonly definition: FunctionDefinition;
  readonly environment: Readonly<Record<string, string>>;
}

/** CommonJS packages in an ES module bundle ask for built-in modules by `require`, which an ES module does not have. */
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export class HandlerFunction extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, { definition, environment }: HandlerFunctionProps) {
    super(scope, id);
    const { eventRetries } = definition;
    this.function = new NodejsFunction(this, 'Function', {
      description: definition.description,
      entry: projectFile(definition.entry),
      projectRoot,
      depsLockFilePath: projectFile('package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.seconds(definition.timeoutSeconds ?? 30),
      environment: { ...environment, NODE_OPTIONS: '--enable-source-maps' },
      loggingFormat: LoggingFormat.JSON,
      logGroup: new LogGroup(this, 'Logs', {
        retention: RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      ...(eventRetries === undefined ? {} : { retryAttempts: eventRetries }),
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        mainFields: ['module', 'main'],
        externalModules: [],
        minify: true,
        // error names are the state machine's error codes and must survive minifying
        keepNames: true,
        sourceMap: true,
        sourcesContent: false,
        banner: REQUIRE_BANNER,
      },
    });
  }
}
