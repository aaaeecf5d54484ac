import type { AcceptedEntry } from './entries.ts';
import type { Delivery } from './journal.ts';
import { busIn, type Model, type Rule } from './model.ts';
import { compilePattern, type EventTest } from './pattern/pattern.ts';

/** Which deliveries an accepted event asks for: one for each target of each enabled rule that it matches. */

/** A rule's pattern is compiled once: a changed rule is another object. */
const compiled = new WeakMap<Rule, EventTest>();

const testOf = (rule: Rule): EventTest => {
  const known = compiled.get(rule);
  if (known) return known;
  const test = compilePattern(rule.eventPattern);
  compiled.set(rule, test);
  return test;
};

export const deliveriesOf = (model: Model, { busName, event }: AcceptedEntry): readonly Delivery[] =>
  busIn(model, busName)
    .rules.filter((rule) => rule.state === 'ENABLED' && testOf(rule)(event))
    .flatMap((rule) =>
      rule.targets.map((target) => ({
        id: `${event.id}/${rule.name}/${target.Id}`,
        event,
        busName,
        ruleName: rule.name,
        target,
      })),
    );
