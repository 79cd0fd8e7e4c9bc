import { expect, test } from "bun:test";
import { guestUser, isGuestUser } from "../../../src/plan/facts/guest-user.ts";

// systemd leaves 0x70000000 to 0x77ffffff free. svirt uses the lower half.
const [FIRST, LAST] = [0x70000000, 0x73ffffff];
const uuid = (end: string): string => `11111111-2222-4333-8444-0000${end}`;

test.each([
  ["00000000", 0, FIRST],
  ["00000001", 0, FIRST + 1],
  ["03ffffff", 0, LAST],
  ["04000000", 0, FIRST],
  ["ffffffff", 0, LAST],
  ["ffffffff", 1, FIRST],
  ["00000001", 3, FIRST + 4],
])("the end %s of a UUID and %d gives the user %d", (end, later, user) => {
  expect(guestUser(uuid(end), later)).toBe(user);
});

test("a guest's user is one of those, and no other", () => {
  expect([FIRST - 1, FIRST, LAST, LAST + 1, 0].map(isGuestUser)).toEqual([false, true, true, false, false]);
});
