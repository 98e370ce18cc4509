import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDuration, parseTime } from '../src/time.ts'

const NOW = 1_793_869_200

describe('a time', () => {
  const good: [string, number, string][] = [
    ['2026-11-05T09:00:00Z', NOW, 'ISO 8601'],
    ['2026-11-05t09:00:00z', NOW, 'small letters'],
    ['2026-11-05 09:00', NOW, 'a blank for the T, no seconds, no zone: UTC'],
    ['2026-11-05', NOW - 9 * 3600, 'a day: its midnight in UTC'],
    ['2026-11-05T09:00:00.999Z', NOW, 'a fraction, cut off'],
    ['2026-11-05T09:00:00,5Z', NOW, 'a fraction with a comma'],
    ['2026-11-05T10:00+01:00', NOW, 'a zone east'],
    ['2026-11-05T03:30-0530', NOW, 'a zone west, with minutes, without a colon'],
    ['2026-11-05T11:00+02', NOW, 'a zone of hours alone'],
    ['2026-11-05T23:00+14:00', NOW, 'the zone farthest east'],
    ['2024-02-29', 1_709_164_800, 'a leap day'],
    ['1793869200', NOW, 'epoch seconds'],
    ['999999999', 999_999_999, 'epoch seconds of nine digits'],
    ['90s', NOW - 90, 'seconds before now'],
    ['30m', NOW - 1800, 'minutes before now'],
    ['24h', NOW - 86_400, 'hours before now'],
    ['7d', NOW - 7 * 86_400, 'days before now'],
    ['2w', NOW - 14 * 86_400, 'weeks before now'],
    ['0s', NOW, 'now'],
    ['1970-01-01', 0, 'the first second that is taken'],
    ['2099-12-31T23:59:59Z', 4_102_444_799, 'the last second that is taken'],
    ['18250d', NOW - 18_250 * 86_400, 'fifty years before now'],
  ]
  for (const [text, seconds, what] of good) {
    test(`is ${text}: ${what}`, () => assert.equal(parseTime(text, NOW), seconds))
  }

  const bad: [string, string][] = [
    ['tomorrow', 'a word'],
    ['', 'nothing'],
    [' 24h', 'a blank before it'],
    ['2026-11-05\n', 'a line break after it'],
    ['2026-02-30', 'no such day'],
    ['2025-02-29', 'no leap year'],
    ['2026-13-01', 'no such month'],
    ['2026-00-10', 'months begin at 1'],
    ['2026-11-05T24:00', 'no such hour'],
    ['2026-11-05T09:60', 'no such minute'],
    ['2026-11-05T09:00:60', 'no such second'],
    ['0000-01-01', 'no such year'],
    ['2026-11-05T09', 'an hour without minutes'],
    ['2026-11-05Z', 'a zone without a time'],
    ['2026-11-05T09:00+15:00', 'no such zone'],
    ['2026-11-05T09:00+01:60', 'no zone has so many minutes'],
    ['26-11-05', 'a short year'],
    ['05.11.2026', 'another order'],
    ['1793869200000', 'milliseconds'],
    ['17938692000', 'eleven digits'],
    ['1793869200.5', 'a fraction of an epoch'],
    ['-1793869200', 'a negative epoch'],
    ['1.79e9', 'an exponent'],
    ['2026', 'too short for an epoch'],
    ['1.5h', 'half an hour'],
    ['24H', 'a unit in capitals'],
    ['24', 'no unit'],
    ['1h30m', 'two durations'],
    ['1969-12-31T23:59:59Z', 'a time before 1970'],
    ['1970-01-01T00:30+01:00', 'a time before 1970 in UTC'],
    ['2100-01-01', 'a time after 2099'],
    ['2099-12-31T23:30-01:00', 'a time after 2099 in UTC'],
    ['9999-12-31', 'a far future'],
    ['4102444800', 'epoch seconds after 2099'],
    ['18251d', 'more than fifty years'],
    ['999999w', 'a million weeks'],
  ]
  for (const [text, what] of bad) {
    test(`is not ${JSON.stringify(text)}: ${what}`, () => assert.equal(parseTime(text, NOW), undefined))
  }
})

test('a duration is a number and one of s, m, h, d, w, at most fifty years; a time is none', () => {
  assert.equal(parseDuration('90s'), 90)
  assert.equal(parseDuration('2w'), 1_209_600)
  assert.equal(parseDuration('9999999s'), 9_999_999)
  for (const text of [
    '2026-11-05',
    '90',
    's',
    '-1h',
    '1 h',
    '1y',
    '1ms',
    '9999999999s',
    '18251d',
    '99999999999s',
  ]) {
    assert.equal(parseDuration(text), undefined, text)
  }
})
