import { describe, expect, test } from "bun:test";
import { sampleOf } from "../../sample.ts";
import { LEFT_SCENES } from "./left-scenes.ts";
import { killAt, listTitled, lookAt } from "./strike-command.ts";

describe("svirt, killed before, within and after each call that changes something", () => {
  test.each(listTitled(LEFT_SCENES))(
    "by $title, leaves nothing that the audit does not name, and the same command or the opposite one makes it whole",
    async ({ scene }) => {
      const states = await lookAt(scene);
      expect(states.before).not.toEqual(states.after);
      const ends = new Set<string>();
      const instants = sampleOf(states.instants);
      for (const strike of instants) ends.add(await killAt(scene, states, strike));
      if (instants.length === states.instants.length)
        expect([...ends].toSorted()).toEqual(["named", "whole"]);
    },
    240_000,
  );
});
