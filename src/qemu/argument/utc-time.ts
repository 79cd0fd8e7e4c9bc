const [SECONDS_OF_DAY, DAYS_OF_ERA] = [86_400, 146_097];

/**
 * Returns `2009-02-14T00:01:30` for seconds since 1970, in UTC. The calendar repeats itself every 400 years.
 * RFC 3339
 */
export function formatUtcTime(seconds: number): string {
  const days = Math.floor(seconds / SECONDS_OF_DAY);
  const rest = seconds - days * SECONDS_OF_DAY;
  const time = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60].map(twoDigits);
  return `${formatDay(days)}T${time.join(":")}`;
}

/** Years begin on the first of March: a leap day is the last day of its year. */
function formatDay(days: number): string {
  const sinceMarch = days + 719_468;
  const era = Math.floor(sinceMarch / DAYS_OF_ERA);
  const ofEra = sinceMarch - era * DAYS_OF_ERA;
  const leapDays = Math.floor(ofEra / 1460) - Math.floor(ofEra / 36_524) + Math.floor(ofEra / 146_096);
  const year = Math.floor((ofEra - leapDays) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * month + 2) / 5) + 1;
  const isNextYear = month >= 10;
  const shownMonth = isNextYear ? month - 9 : month + 3;
  const shownYear = year + era * 400 + (isNextYear ? 1 : 0);
  return `${String(shownYear).padStart(4, "0")}-${twoDigits(shownMonth)}-${twoDigits(day)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
