import { describe, expect, test } from "bun:test";
import { addUser, formatAcl, parseAcl, withoutUser } from "../../../../src/host/linux/access/posix-acl.ts";
import { aclBytes, NAMED_LISTS } from "../../../real-host/acl-bytes.ts";

const [ONE, OTHER] = [1_879_048_193, 1_879_048_194];
const [READ, WRITE] = [4, 6];

describe.each(NAMED_LISTS)("%s", (_, entries) => {
  const before = parseAcl(aclBytes(entries), 0o600);

  test.each([
    ["the first", [ONE, OTHER]],
    ["the last", [OTHER, ONE]],
  ])("is byte for byte as it was when both guests are gone, %s of them first", (_order, leaving) => {
    let list = granted(granted(before, ONE, READ), OTHER, WRITE);
    // A start that is retried grants its access again.
    list = granted(list, ONE, READ);
    for (const uid of leaving) list = withoutUser(withoutUser(list, uid), uid);
    expect(formatAcl(list)).toEqual(aclBytes(entries));
  });

  test("lets the guest that is left do what it was let do", () => {
    const list = withoutUser(granted(granted(before, ONE, READ), OTHER, WRITE), ONE);
    expect(list.filter(({ id }) => id === OTHER || id === ONE)).toEqual([
      { tag: 2, permissions: WRITE, id: OTHER },
    ]);
  });
});

test("a mode is a mode again: nobody is named and no mask is left", () => {
  const list = withoutUser(granted(parseAcl(undefined, 0o640), ONE, WRITE), ONE);
  expect(formatAcl(list)).toEqual(aclBytes(["user::6", "group::4", "other::0"]));
});

function granted(list: ReturnType<typeof parseAcl>, uid: number, permissions: number) {
  const more = addUser(list, uid, permissions);
  if (more === undefined) throw new Error("the mask forbids it");
  return more;
}
