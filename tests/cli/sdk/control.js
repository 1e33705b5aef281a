// SPDX-License-Identifier: Apache-2.0
// X-Ray's control plane by AWS's SDK for JavaScript as it is: prints "ok - NAME"
// or "not ok - NAME" for each expectation.
//
//   control.js URL             all but the following
//   control.js --race URL      calls at the same time
const xray = require('@aws-sdk/client-xray');

const race = process.argv[2] === '--race';
const endpoint = process.argv[race ? 3 : 2];
const client = new xray.XRayClient({ endpoint, region: 'us-east-1', maxAttempts: 1,
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  signer: { sign: async request => request } });
const call = (name, input) => client.send(new xray[name + 'Command'](input ?? {}));
const base = 'arn:aws:xray:us-east-1:123456789012:';

function report(passed, name, ...told) {
  console.log((passed ? 'ok - ' : 'not ok - ') + name);
  if (!passed)
    for (const t of told)
      console.log('# ' + (t instanceof Error ? `${t.name} ${t}` :
        JSON.stringify(t)).slice(0, 400));
}

function is(got, want, name) {
  report(JSON.stringify(got) === JSON.stringify(want), name, { got }, { want });
}

const without = ({ $metadata, ...answer }) => answer;

async function gives(name, operation, input, want) {
  try {
    const answer = without(await call(operation, input));
    if (typeof want === 'function')
      report(want(answer), name, answer);
    else
      is(answer, want, name);
    return answer;
  } catch (e) {
    report(false, name, e);
    return {};
  }
}

async function refused(error, operation, input, also) {
  const name = `${operation} ${also ?? ''}: ${error}`;
  try {
    report(false, name, 'no error', without(await call(operation, input)));
  } catch (e) {
    is([e.name, e.$metadata?.httpStatusCode],
      [error, error === 'ResourceNotFoundException' ? 404 :
        error === 'ThrottledException' ? 429 : 400], name);
  }
}

const BAD = 'InvalidRequestException', GONE = 'ResourceNotFoundException';
const rule = (RuleName, more) => ({ RuleName, ResourceARN: '*', Priority: 100,
  FixedRate: 0.05, ReservoirSize: 1, ServiceName: '*', ServiceType: '*', Host: '*',
  HTTPMethod: '*', URLPath: '*', Version: 1, ...more });

async function groups() {
  const made = await gives('CreateGroup', 'CreateGroup', { GroupName: 'sdk',
    FilterExpression: 'service("api") { fault }', Tags: [{ Key: 'team', Value: 'a' }],
    InsightsConfiguration: { InsightsEnabled: true } }, a =>
    a.Group.GroupARN.startsWith(base + 'group/sdk/') &&
    a.Group.InsightsConfiguration.NotificationsEnabled === false);
  const { GroupARN } = made.Group;
  await gives('GetGroup by ARN', 'GetGroup', { GroupARN }, { Group: made.Group });
  await gives('its tags', 'ListTagsForResource', { ResourceARN: GroupARN },
    { Tags: [{ Key: 'team', Value: 'a' }] });
  const updated = { Group: { ...made.Group, FilterExpression: 'error' } };
  await gives('UpdateGroup', 'UpdateGroup', { GroupARN, FilterExpression: 'error' },
    updated);
  await gives('GetGroup by name', 'GetGroup', { GroupName: 'sdk' }, updated);
  await gives('GetGroups', 'GetGroups', {}, a =>
    a.Groups.map(g => g.GroupName).join() === 'Default,sdk');
  await gives('Default can have insights', 'UpdateGroup', { GroupName: 'Default',
    InsightsConfiguration: { InsightsEnabled: true, NotificationsEnabled: true } },
  { Group: { GroupName: 'Default', GroupARN: base + 'group/Default',
    InsightsConfiguration: { InsightsEnabled: true, NotificationsEnabled: true } } });
  await refused(BAD, 'CreateGroup', { GroupName: 'sdk' }, 'again');
  await refused(BAD, 'CreateGroup', { GroupName: 'Default' }, 'Default');
  await refused(BAD, 'CreateGroup', { GroupName: 'x'.repeat(33) }, 'of a long name');
  await refused(BAD, 'CreateGroup', { GroupName: 'a', FilterExpression: 'service("' },
    'of no expression');
  await refused(BAD, 'CreateGroup', { GroupName: 'a',
    InsightsConfiguration: { NotificationsEnabled: true } }, 'notifying of nothing');
  await refused(BAD, 'UpdateGroup', { GroupName: 'Default', FilterExpression: 'ok' },
    'Default');
  await refused(BAD, 'UpdateGroup', { GroupName: 'nobody' }, 'of nobody');
  await refused(BAD, 'GetGroup', {}, 'without a name');
  await refused(BAD, 'GetGroup', { GroupARN: GroupARN.slice(0, -1) }, 'of another ARN');
  await refused(BAD, 'GetGroups', { NextToken: 'x' }, 'of a foreign token');
  await refused(BAD, 'DeleteGroup', { GroupName: 'Default' }, 'Default');
  await gives('DeleteGroup', 'DeleteGroup', { GroupARN }, {});
  await refused(BAD, 'DeleteGroup', { GroupName: 'sdk' }, 'twice');
  await refused(GONE, 'ListTagsForResource', { ResourceARN: GroupARN }, 'of what is gone');
}

async function tags() {
  const ResourceARN = base + 'sampling-rule/Default';
  const tag = (Key, Value) => ({ Key, Value });
  await gives('TagResource', 'TagResource', { ResourceARN,
    Tags: [tag('a', '1'), tag('b', '2')] }, {});
  await gives('TagResource again', 'TagResource', { ResourceARN,
    Tags: [tag('b', '3'), tag('c', '')] }, {});
  await gives('UntagResource', 'UntagResource', { ResourceARN, TagKeys: ['a', 'z'] }, {});
  await gives('ListTagsForResource', 'ListTagsForResource', { ResourceARN },
    { Tags: [tag('b', '3'), tag('c', '')] });
  await refused('TooManyTagsException', 'TagResource', { ResourceARN,
    Tags: Array.from({ length: 49 }, (_, i) => tag('n' + i, '')) });
  await refused(BAD, 'TagResource', { ResourceARN, Tags: [tag('aws:x', '')] }, 'of AWS');
  await refused(BAD, 'TagResource', { ResourceARN, Tags: [tag('a', '1'), tag('a', '2')] },
    'twice');
  await refused(GONE, 'TagResource', { ResourceARN: base + 'sampling-rule/none', Tags: [] });
  await refused(GONE, 'UntagResource', { ResourceARN: 'arn:aws:xray:us-east-1:' +
    '210987654321:sampling-rule/Default', TagKeys: [] }, 'of another account');
}

async function rules() {
  const made = await gives('CreateSamplingRule', 'CreateSamplingRule', { SamplingRule:
    rule('sdk', { Attributes: { tier: 'gold' }, Tags: undefined,
      SamplingRateBoost: { MaxRate: 0.5, CooldownWindowMinutes: 10 } }) }, a =>
    a.SamplingRuleRecord.SamplingRule.RuleARN === base + 'sampling-rule/sdk' &&
    a.SamplingRuleRecord.SamplingRule.SamplingRateBoost.MaxRate === 0.5 &&
    Date.now() - a.SamplingRuleRecord.CreatedAt < 60000);
  await gives('GetSamplingRules', 'GetSamplingRules', {}, a =>
    a.SamplingRuleRecords.map(r => r.SamplingRule.RuleName).join() === 'sdk,Default' &&
    a.SamplingRuleRecords[1].SamplingRule.Priority === 10000 &&
    JSON.stringify(a.SamplingRuleRecords[0]) === JSON.stringify(made.SamplingRuleRecord));
  await gives('UpdateSamplingRule by ARN', 'UpdateSamplingRule', { SamplingRuleUpdate: {
    RuleARN: base + 'sampling-rule/sdk', Host: 'h', Attributes: {} } }, a =>
    a.SamplingRuleRecord.SamplingRule.Host === 'h' &&
    a.SamplingRuleRecord.SamplingRule.FixedRate === 0.05 &&
    Object.keys(a.SamplingRuleRecord.SamplingRule.Attributes).length === 0 &&
    a.SamplingRuleRecord.ModifiedAt > a.SamplingRuleRecord.CreatedAt);
  await gives('of Default', 'UpdateSamplingRule', { SamplingRuleUpdate: {
    RuleName: 'Default', FixedRate: 0.5, ReservoirSize: 7 } }, a =>
    a.SamplingRuleRecord.SamplingRule.FixedRate === 0.5 &&
    a.SamplingRuleRecord.SamplingRule.Version === 1);
  const bad = (more, why, error) => refused(error ?? BAD, 'CreateSamplingRule',
    { SamplingRule: rule('b', more) }, why);
  await bad({ RuleName: 'sdk' }, 'again');
  await bad({ RuleName: 'Default' }, 'Default');
  await bad({ RuleName: undefined }, 'without a name');
  await bad({ RuleName: 'x'.repeat(33) }, 'of a long name');
  await bad({ RuleARN: base + 'sampling-rule/b' }, 'with an ARN');
  await bad({ Priority: 0 }, 'of priority 0');
  await bad({ Priority: 10000 }, 'of priority 10000');
  await bad({ FixedRate: 1.1 }, 'of a rate over 1');
  await bad({ ReservoirSize: -1 }, 'of a negative reservoir');
  await bad({ Version: 2 }, 'of version 2');
  await bad({ Version: undefined }, 'without a version');
  await bad({ Host: 'h'.repeat(65) }, 'of a long host');
  await bad({ Attributes: Object.fromEntries([...'abcdef'].map(c => [c, c])) },
    'of 6 attributes');
  await refused(BAD, 'UpdateSamplingRule', { SamplingRuleUpdate: { RuleName: 'Default',
    Priority: 1 } }, 'of priority of Default');
  await refused(BAD, 'UpdateSamplingRule', { SamplingRuleUpdate: { RuleName: 'none' } },
    'of nothing');
  await refused(BAD, 'DeleteSamplingRule', { RuleName: 'Default' }, 'Default');
  await refused(BAD, 'DeleteSamplingRule', { RuleName: 'none' });
  await refused(BAD, 'DeleteSamplingRule', { RuleName: 'sdk',
    RuleARN: base + 'sampling-rule/sdk' }, 'by both');
  for (let i = 0; i < 24; i++)
    await call('CreateSamplingRule', { SamplingRule: rule('more' + i) });
  await bad({}, 'the 26th', 'RuleLimitExceededException');
  for (let i = 0; i < 24; i++)
    await call('DeleteSamplingRule', { RuleName: 'more' + i });
}

async function targets() {
  const document = (RuleName, more) => ({ RuleName, ClientID: '0123456789abcdef01234567',
    Timestamp: new Date(), RequestCount: 10, SampledCount: 4, BorrowCount: 1, ...more });
  const before = await gives('GetSamplingTargets', 'GetSamplingTargets', {
    SamplingStatisticsDocuments: [document('Default'), document('none'),
      document('sdk', { SampledCount: 11 }),
      document('sdk', { ClientID: '0123456789abcdef0123456x' })],
    SamplingBoostStatisticsDocuments: ['sdk', 'Default'].map(RuleName => ({ RuleName,
      ServiceName: 's', Timestamp: new Date(), AnomalyCount: 1, TotalCount: 10,
      SampledAnomalyCount: 1 })) }, a => {
    const [t, boosted] = a.SamplingTargetDocuments;
    return t.RuleName === 'Default' && t.FixedRate === 0.5 && t.ReservoirQuota === 7 &&
      t.Interval === 10 && t.ReservoirQuotaTTL > Date.now() &&
      boosted.RuleName === 'sdk' && boosted.SamplingBoost.BoostRate === 0.5 &&
      a.UnprocessedStatistics.map(u => [u.RuleName, u.ErrorCode]).join() ===
        'none,400,sdk,400,sdk,400' &&
      a.UnprocessedBoostStatistics.map(u => u.RuleName).join() === 'Default';
  });
  await gives('GetSamplingStatisticSummaries', 'GetSamplingStatisticSummaries', {}, a => {
    const s = a.SamplingStatisticSummaries.find(x => x.RuleName === 'Default');
    return s.RequestCount === 10 && s.SampledCount === 4 && s.BorrowCount === 1;
  });
  await gives('DeleteSamplingRule tells what was deleted', 'DeleteSamplingRule',
    { RuleName: 'sdk' }, a => a.SamplingRuleRecord.SamplingRule.Host === 'h');
  await gives('which is a modification', 'GetSamplingTargets',
    { SamplingStatisticsDocuments: [] }, a =>
      a.LastRuleModification > before.LastRuleModification);
  await refused(BAD, 'GetSamplingTargets', { SamplingStatisticsDocuments:
    Array.from({ length: 26 }, () => document('Default')) }, 'of 26');
}

async function policies() {
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [] });
  const put = more => ({ PolicyName: 'p', PolicyDocument, ...more });
  await gives('PutResourcePolicy', 'PutResourcePolicy', put({ PolicyRevisionId: '0' }), a =>
    a.ResourcePolicy.PolicyRevisionId === '1' &&
    a.ResourcePolicy.PolicyDocument === PolicyDocument);
  await gives('again', 'PutResourcePolicy', put(), a =>
    a.ResourcePolicy.PolicyRevisionId === '2');
  const stale = 'InvalidPolicyRevisionIdException';
  await refused(stale, 'PutResourcePolicy', put({ PolicyRevisionId: '0' }), 'as if new');
  await refused(stale, 'PutResourcePolicy', put({ PolicyRevisionId: '1' }), 'of an old one');
  await gives('of the last one', 'PutResourcePolicy', put({ PolicyRevisionId: '2' }), a =>
    a.ResourcePolicy.PolicyRevisionId === '3');
  await refused('MalformedPolicyDocumentException', 'PutResourcePolicy',
    put({ PolicyDocument: '{"Statement":' }));
  await refused('PolicySizeLimitExceededException', 'PutResourcePolicy',
    put({ PolicyDocument: PolicyDocument + ' '.repeat(5120) }));
  for (const i of [2, 3, 4, 5])
    await call('PutResourcePolicy', put({ PolicyName: 'p' + i }));
  await refused('PolicyCountLimitExceededException', 'PutResourcePolicy',
    put({ PolicyName: 'p6' }));
  await gives('ListResourcePolicies', 'ListResourcePolicies', {}, a =>
    a.ResourcePolicies.map(p => p.PolicyName + p.PolicyRevisionId).join() ===
      'p3,p21,p31,p41,p51');
  await refused(stale, 'DeleteResourcePolicy', { PolicyName: 'p', PolicyRevisionId: '2' });
  await gives('DeleteResourcePolicy', 'DeleteResourcePolicy',
    { PolicyName: 'p', PolicyRevisionId: '3' }, {});
  await refused(BAD, 'DeleteResourcePolicy', { PolicyName: 'p' }, 'of nothing');
}

async function settings() {
  const none = { EncryptionConfig: { Status: 'ACTIVE', Type: 'NONE' } };
  await gives('GetEncryptionConfig', 'GetEncryptionConfig', {}, none);
  await gives('PutEncryptionConfig', 'PutEncryptionConfig', { Type: 'NONE' }, none);
  await refused(BAD, 'PutEncryptionConfig', { Type: 'KMS', KeyId: 'alias/k' }, 'with KMS');
  await refused(BAD, 'PutEncryptionConfig', { Type: 'KMS' }, 'without a key');
  await refused(BAD, 'PutEncryptionConfig', { Type: 'ROT13' }, 'of no type');
  const Rule = { Probabilistic: { DesiredSamplingPercentage: 5 } };
  await gives('UpdateIndexingRule', 'UpdateIndexingRule', { Name: 'Default', Rule }, a =>
    a.IndexingRule.Rule.Probabilistic.DesiredSamplingPercentage === 5);
  await gives('GetIndexingRules', 'GetIndexingRules', {}, a =>
    a.IndexingRules.length === 1 &&
    a.IndexingRules[0].Rule.Probabilistic.DesiredSamplingPercentage === 5 &&
    a.IndexingRules[0].Rule.Probabilistic.ActualSamplingPercentage === 100);
  await refused(GONE, 'UpdateIndexingRule', { Name: 'Other', Rule });
  await refused(BAD, 'UpdateIndexingRule', { Name: 'Default', Rule: { Probabilistic:
    { DesiredSamplingPercentage: 101 } } }, 'of 101 %');
  await gives('GetTraceSegmentDestination', 'GetTraceSegmentDestination', {},
    { Destination: 'XRay', Status: 'ACTIVE' });
  await gives('UpdateTraceSegmentDestination', 'UpdateTraceSegmentDestination',
    { Destination: 'CloudWatchLogs' }, { Destination: 'CloudWatchLogs', Status: 'ACTIVE' });
  await gives('which stays', 'GetTraceSegmentDestination', {},
    { Destination: 'CloudWatchLogs', Status: 'ACTIVE' });
  await refused(BAD, 'UpdateTraceSegmentDestination', {}, 'to nowhere');
  await gives('PutTelemetryRecords', 'PutTelemetryRecords', { TelemetryRecords: [
    { Timestamp: new Date(), SegmentsReceivedCount: 3, SegmentsRejectedCount: 1 }] }, {});
  await refused(BAD, 'PutTelemetryRecords', { TelemetryRecords: [{}] }, 'without a time');
}

// Seven traces of two services; the third has 250 segments.
async function retrieval() {
  const now = Math.floor(Date.now() / 1000);
  const id = n => `1-${now.toString(16)}-${n.toString(16).padStart(24, '0')}`;
  const segment = (t, i) => JSON.stringify({ trace_id: id(t), name: i ? 'back' : 'front',
    id: (t * 1000 + i + 1).toString(16).padStart(16, '0'), start_time: now,
    end_time: now + 1.5, ...i && { parent_id: (t * 1000 + 1).toString(16).padStart(16, '0') } });
  const TraceIds = [1, 2, 3, 4, 5, 6, 7].map(id);
  for (let i = 0; i < 250; i += 50)
    await call('PutTraceSegments', { TraceSegmentDocuments:
      Array.from({ length: 50 }, (_, k) => segment(3, i + k)) });
  await call('PutTraceSegments', { TraceSegmentDocuments:
    [1, 2, 4, 5, 6, 7].map(t => segment(t, 0)) });
  for (let tries = 0; tries < 100; tries++) {
    const { UnprocessedTraceIds, Traces } = await call('BatchGetTraces', { TraceIds:
      TraceIds.slice(0, 5) });
    if (!UnprocessedTraceIds.length && Traces[2].Segments.length === 250) break;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const range = { StartTime: new Date((now - 60) * 1000), EndTime: new Date((now + 60) * 1000) };
  const { RetrievalToken } = await gives('StartTraceRetrieval', 'StartTraceRetrieval',
    { TraceIds: [...TraceIds, id(99)], ...range }, a => a.RetrievalToken.length > 0);
  const pages = [], spans = {};
  let NextToken;
  do {
    const page = await call('ListRetrievedTraces', { RetrievalToken, NextToken });
    pages.push(page.Traces.length);
    for (const t of page.Traces)
      (spans[t.Id] ??= []).push(...t.Spans.map(s => s.Document));
    report(page.RetrievalStatus === 'COMPLETE' && page.TraceFormat === 'XRAY' &&
      page.Traces.every(t => t.Duration === 1.5 && t.Spans.length <= 100),
    `page ${pages.length} of ListRetrievedTraces`, page);
    NextToken = page.NextToken;
  } while (NextToken && pages.length < 20);
  is([pages, Object.keys(spans).sort(), spans[id(3)]?.length, spans[id(1)]?.[0]],
    [[3, 1, 5, 0], TraceIds, 250, segment(1, 0)], 'all of them, page by page');
  await gives('GetRetrievedTracesGraph', 'GetRetrievedTracesGraph', { RetrievalToken }, a =>
    a.RetrievalStatus === 'COMPLETE' && a.Services.map(s =>
      [s.Service.Name, s.Service.Type ?? '', s.Service.SummaryStatistics?.TotalCount].join())
      .sort().join(' ').includes('back,,249'));
  const early = await call('StartTraceRetrieval', { TraceIds, StartTime: new Date(0),
    EndTime: range.StartTime });
  await gives('nothing before they began', 'ListRetrievedTraces', early,
    a => a.Traces.length === 0 && a.RetrievalStatus === 'COMPLETE');
  await refused(BAD, 'ListRetrievedTraces', { RetrievalToken, NextToken: 'x' },
    'of a foreign token');
  await refused(BAD, 'ListRetrievedTraces', { RetrievalToken, TraceFormat: 'OTEL' },
    'of what are no spans');
  await gives('CancelTraceRetrieval', 'CancelTraceRetrieval', { RetrievalToken }, {});
  await gives('then there is nothing', 'ListRetrievedTraces', { RetrievalToken },
    { RetrievalStatus: 'CANCELLED', TraceFormat: 'XRAY', Traces: [] });
  for (const name of ['CancelTraceRetrieval', 'ListRetrievedTraces', 'GetRetrievedTracesGraph'])
    await refused(GONE, name, { RetrievalToken: 'none' });
  await refused(BAD, 'StartTraceRetrieval', { TraceIds: ['x'], ...range }, 'of no trace id');
  await refused(BAD, 'StartTraceRetrieval', { TraceIds, StartTime: range.EndTime,
    EndTime: range.StartTime }, 'backwards');
  let open = 0;
  try {
    for (; open < 100; open++) await call('StartTraceRetrieval', { TraceIds: [], ...range });
  } catch (e) {
    is([e.name, open], ['ThrottledException', 62], 'an account has 64 at once');
  }
}

// One of twenty makes it; of twenty who change, none undoes another's change.
async function racing() {
  const all = await Promise.allSettled(Array.from({ length: 20 }, () =>
    call('CreateGroup', { GroupName: 'race' })));
  is(all.filter(a => a.status === 'fulfilled').length, 1, 'one of 20 creates it');
  is([...new Set(all.filter(a => a.reason).map(a => a.reason.name))], [BAD],
    'the others are told that it is there');
  const { Group } = await call('GetGroup', { GroupName: 'race' });
  const put = (_, i) => async () => {
    for (let tries = 0; ; tries++) {
      try {
        return await call('TagResource', { ResourceARN: Group.GroupARN,
          Tags: [{ Key: 'n' + i, Value: 'v' }] });
      } catch (e) {
        if (e.name !== 'ThrottledException' || tries > 20) throw e;
      }
    }
  };
  await Promise.all(Array.from({ length: 20 }, put).map(f => f()));
  const { Tags } = await call('ListTagsForResource', { ResourceARN: Group.GroupARN });
  is(Tags.length, 20, '20 tags put at once are all there');
  const made = await Promise.allSettled(Array.from({ length: 40 }, (_, i) =>
    call('CreateSamplingRule', { SamplingRule: rule('race' + i) })));
  is(made.filter(a => a.status === 'fulfilled').length, 25, 'of 40 rules 25 are made');
}

(async () => {
  for (const part of race ? [racing] :
    [groups, tags, rules, targets, policies, settings, retrieval]) {
    try {
      await part();
    } catch (e) {
      report(false, `all of ${part.name}`, e);
    }
  }
})();
