import { expect, test } from "bun:test";
import { seal, unseal } from "../../src/state/record/seal.ts";
import { makeMachine, nodeOn } from "../scenes/scene.ts";

const BODY = '{"name":"a \\",\\"seal\\":\\"b","last":1}';
const { host } = nodeOn(makeMachine());
const one = { host, build: "one" };

test("a sealed text is JSON with the same fields, and the build that wrote it knows it", () => {
  const sealed = seal(one, BODY);
  expect(JSON.parse(sealed)).toEqual({ ...JSON.parse(BODY), seal: expect.stringMatching(/^one:[0-9a-f]+$/) });
  expect(unseal(one, `${sealed}\n`)).toEqual({ body: BODY, isOwn: true });
});

test("another build takes the seal away, and trusts nothing", () => {
  const sealed = seal(one, BODY);
  expect(unseal({ host, build: "two" }, sealed)).toEqual({ body: BODY, isOwn: false });
  expect(unseal({ host }, sealed)).toEqual({ body: BODY, isOwn: false });
});

test("a text that somebody has changed is not its own", () => {
  const sealed = seal(one, BODY);
  for (const changed of [
    sealed.replace('"last":1', '"last":2'),
    sealed.replace('"seal":"one:', '"seal":"one:0'),
    `${sealed}x`,
    sealed.slice(0, -1),
    sealed.replace('"}', '","more":1}'),
  ])
    expect(unseal(one, changed).isOwn).toBe(false);
});

test("without a build, a text has no seal", () => {
  expect(seal({ host }, BODY)).toBe(BODY);
  expect(unseal(one, BODY)).toEqual({ body: BODY, isOwn: false });
});
