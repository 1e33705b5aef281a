// SPDX-License-Identifier: Apache-2.0
// Searches with AWS's SDK for JavaScript as it is: summaries.js URL START
// prints how many traces its paginator brings and how many of them differ, how
// many pages that took, whether times are Dates, a number of an annotation's,
// and the name of the error of a bad expression.
const { XRayClient, GetTraceSummariesCommand, paginateGetTraceSummaries } =
  require('@aws-sdk/client-xray');

const [url, start] = process.argv.slice(2);
const client = new XRayClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1,
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' } });
const question = { StartTime: new Date(start * 1000),
  EndTime: new Date((+start + 200) * 1000) };

(async () => {
  const found = [];
  let pages = 0;
  for await (const page of paginateGetTraceSummaries({ client }, { ...question })) {
    found.push(...page.TraceSummaries);
    pages++;
  }
  const { TraceSummaries: [shop] } = await client.send(new GetTraceSummariesCommand({
    ...question, FilterExpression: 'annotation.order = "A7"' }));
  let name;
  try {
    await client.send(new GetTraceSummariesCommand({ ...question,
      FilterExpression: '(' }));
  } catch (e) {
    name = e.name;
  }
  console.log(found.length, new Set(found.map(t => t.Id)).size, pages,
    shop.StartTime instanceof Date,
    shop.Annotations.count[0].AnnotationValue.NumberValue + 0.5, name);
})();
