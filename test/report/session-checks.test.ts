import { describe, expect, test } from "bun:test";
import { examineNode } from "../../src/report/doctor.ts";
import type { Finding } from "../../src/report/finding.ts";
import { checkSession } from "../../src/report/session-checks.ts";
import { nodeOn } from "../scenes/scene.ts";
import { makeUsersMachine, USER } from "../scenes/session.ts";

type UsersMachine = ReturnType<typeof makeUsersMachine>;

function check(change: (machine: UsersMachine) => void): ReadonlyMap<string, Finding> {
  const machine = makeUsersMachine();
  change(machine);
  const { host, paths } = nodeOn(machine);
  return new Map(checkSession(host, paths).map((finding) => [finding.check, finding]));
}

describe("checkSession()", () => {
  test.each<[string, [Finding["verdict"], string], (machine: UsersMachine) => void]>([
    ["enforces", ["ok", "only SELinux separates them"], () => undefined],
    [
      "is permissive",
      ["warning", "have all your rights"],
      (machine) => {
        machine.selinux = { mode: "permissive", policyName: "svirt" };
      },
    ],
    [
      "does not exist",
      ["failed", "cannot be confined"],
      (machine) => {
        machine.selinux = { mode: "disabled", policyName: undefined };
      },
    ],
    [
      "confines the user himself",
      ["failed", "cannot be confined"],
      (machine) => {
        machine.ownContext = "user_u:user_r:user_t:s0";
      },
    ],
  ])("where SELinux %s, says what a user's guests are kept from", (_, [verdict, says], change) => {
    const found = check(change).get("your guests");
    expect(found?.verdict).toBe(verdict);
    expect(found?.is).toContain(says);
  });

  test.each([
    [0o660, "warning"],
    [0o666, "ok"],
  ] as const)("with /dev/kvm of mode %o says %s", (mode, verdict) => {
    const found = check(({ files }) => {
      files.get("/dev/kvm").mode = mode;
    });
    expect(found.get("access to KVM")?.verdict).toBe(verdict);
  });
});

test("examineNode() names the folder that a user's login has not made, and how root makes it", async () => {
  const machine = makeUsersMachine();
  machine.files.remove(`/run/user/${USER}`);
  const { host, paths } = nodeOn(machine);
  expect(await examineNode(host, paths)).toContainEqual({
    check: "folder: run",
    verdict: "failed",
    is: expect.stringContaining(`/run/user/${USER} does not exist`),
    remedy: expect.stringContaining(`install -d -m 700 -o ${USER} /run/user/${USER}`),
  });
});
