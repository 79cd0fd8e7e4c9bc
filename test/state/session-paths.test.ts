import { describe, expect, test } from "bun:test";
import type { Paths } from "../../src/plan/paths.ts";
import { sessionPaths } from "../../src/state/session-paths.ts";
import { errorOf } from "../scenes/scene.ts";
import { HOME, makeUsersMachine, USER } from "../scenes/session.ts";

function pathsOn(change: (machine: ReturnType<typeof makeUsersMachine>) => void, uid = USER): Paths {
  const machine = makeUsersMachine();
  change(machine);
  return sessionPaths(machine.svirt().host, uid);
}

describe("sessionPaths()", () => {
  test("keeps all below the user's home in /etc/passwd and his folder in /run/user, whatever HOME says", () => {
    const before = process.env["HOME"];
    process.env["HOME"] = "/elsewhere";
    process.env["XDG_CONFIG_HOME"] = "/elsewhere";
    try {
      const { config, instance, log, run, state } = pathsOn(() => undefined);
      expect({ config, instance, log, run, state }).toEqual({
        instance: "session",
        config: `${HOME}/.config/svirt`,
        state: `${HOME}/.local/state/svirt`,
        log: `${HOME}/.local/state/svirt/log`,
        run: `/run/user/${USER}/svirt`,
      });
    } finally {
      process.env["HOME"] = before;
      delete process.env["XDG_CONFIG_HOME"];
    }
  });

  test("says of a user whom /etc/passwd does not know that he has no home, once that is asked for", async () => {
    const paths = pathsOn(() => undefined, 4711);
    const error = await errorOf((async () => paths.config)());
    expect(error.kind).toBe("not-found");
    expect(error.message).toContain("4711");
  });

  test.each([
    [
      "does not exist",
      (files: ReturnType<typeof makeUsersMachine>["files"]) => files.remove(`/run/user/${USER}`),
      "not-found",
    ],
    [
      "is another's",
      (files: ReturnType<typeof makeUsersMachine>["files"]) => {
        files.get(`/run/user/${USER}`).uid = 1001;
      },
      "denied",
    ],
  ])("refuses a folder in /run/user that %s", async (_, change, kind) => {
    const paths = pathsOn(({ files }) => void change(files));
    const error = await errorOf((async () => paths.run)());
    expect(error.kind).toBe(kind as typeof error.kind);
    expect(error.remedy).toContain(`install -d -m 700 -o ${USER} /run/user/${USER}`);
  });
});
