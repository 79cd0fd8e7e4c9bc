import { describe, expect, test } from "bun:test";
import { settleChanges } from "../../../src/vm/object-change/settle.ts";
import { defineSecret, undefineSecret } from "../../../src/vm/secret/define-secret.ts";
import { setSecretValue } from "../../../src/vm/secret/secret-value.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import { SECRET_UUID, secretFiles, secretValue, secretXml } from "../../scenes/secrets.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const OTHER = "66806c7d-8e93-456f-829b-607d8c198367";

const define: Work = (node) => defineSecret(node, secretXml());
const defineEphemeral: Work = (node) => defineSecret(node, secretXml({ attributes: "ephemeral='yes'" }));
const makePrivate: Work = (node) => defineSecret(node, secretXml({ attributes: "private='yes'" }));
const set: Work = (node) => setSecretValue(node, SECRET_UUID, secretValue("geheim"));
const setOther: Work = (node) => setSecretValue(node, SECRET_UUID, secretValue("other"));
const undefine: Work = (node) => undefineSecret(node, SECRET_UUID);
/** The next call: it is about another secret. */
const next: Work = async (node) => {
  await defineSecret(node, secretXml({ uuid: OTHER, target: "iscsi-b" }));
  await undefineSecret(node, OTHER);
};

/** Returns a machine on which this was done. */
function after(...works: readonly Work[]): () => Promise<Machine> {
  return async () => {
    const machine = makeMachine();
    for (const work of works) await work(nodeOn(machine));
    return machine;
  };
}

const CASES = [
  { name: "secret-define of a new secret", prepare: after(), work: define },
  { name: "secret-define of another text", prepare: after(define, set), work: makePrivate },
  { name: "secret-define that makes it ephemeral", prepare: after(define, set), work: defineEphemeral },
  { name: "secret-define that keeps it on disk", prepare: after(defineEphemeral, set), work: define },
  { name: "secret-set-value", prepare: after(define), work: set },
  { name: "secret-set-value of another value", prepare: after(define, set), work: setOther },
  { name: "secret-undefine", prepare: after(define, set), work: undefine },
  { name: "secret-undefine of an ephemeral secret", prepare: after(defineEphemeral, set), work: undefine },
] as const;

const stateOf = (machine: Machine): string => JSON.stringify(secretFiles(machine).toSorted());

describe.each(CASES)("$name struck before, within and after every call that changes something", (subject) => {
  test.each(["crash", "fail"] as const)(
    "by a %s is done or not after the next call, which leaves no part of a value behind",
    async (how) => {
      const before = stateOf(await subject.prepare());
      const whole = await subject.prepare();
      await subject.work(nodeOn(whole));
      const done = stateOf(whole);
      const instants = await instantsOf(subject.prepare, subject.work);
      expect(instants.length).toBeGreaterThan(3);
      for (const strike of instants) {
        const machine = await subject.prepare();
        await beStruck(machine, subject.work, { ...strike, how });
        const place = `${strike.moment} call ${strike.at}`;
        await next(nodeOn(machine));
        expect([place, [before, done]]).toEqual([place, expect.arrayContaining([stateOf(machine)])]);
        await subject.work(nodeOn(machine)).catch((error: unknown) => {
          expect([place, String(error)]).toEqual([
            place,
            expect.stringContaining("no secret with matching uuid"),
          ]);
        });
        expect([place, stateOf(machine)]).toEqual([place, done]);
      }
    },
  );
});

const MOVES = CASES.filter(({ name }) => /ephemeral|on disk/.test(name));

test.each(MOVES)(
  "$name, killed and followed by a boot, leaves on disk a whole secret or nothing of it",
  async ({ prepare, work }) => {
    const whole = [
      `/etc/svirt/secrets/${SECRET_UUID}.base64 600 Z2VoZWlt`,
      `/etc/svirt/secrets/${SECRET_UUID}.xml 600`,
    ];
    for (const strike of await instantsOf(prepare, work)) {
      const machine = await prepare();
      await beStruck(machine, work, { ...strike, how: "crash" });
      machine.reboot();
      await settleChanges(nodeOn(machine));
      const files = secretFiles(machine).toSorted();
      expect([strike, [[], whole]]).toEqual([strike, expect.arrayContaining([files])]);
    }
  },
);
