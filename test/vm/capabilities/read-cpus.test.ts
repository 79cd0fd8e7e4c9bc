import { expect, test } from "bun:test";
import { readCpus } from "../../../src/vm/capabilities/cpu-models.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";

test("readCpus() gives other work a turn between two processors", async () => {
  const instance = nodeOn(makeMachine());
  let turns = 0;
  const sleep = async (): Promise<void> => {
    turns += 1;
  };
  const host = { ...instance.host, sleep };
  const xmls = ["a", "b", "c"].map((name) => `<cpu><model>${name}</model></cpu>`);
  const cpus = await readCpus({ ...instance, host }, xmls);
  expect(cpus.map(({ model }) => model)).toEqual(["a", "b", "c"]);
  expect(turns).toBe(2);
});
