using System.Collections.Immutable;
using Slipway.Documents.Checks;
using Slipway.Documents.Datasets;
using Slipway.Documents.Reading;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Snapshots;
using Slipway.Pipeline.Validation;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Checks;

/// <summary>Looks at the samples with the eyes of the expectations, leaving out what a part of the rows cannot tell.</summary>
/// <remarks>
/// A count of rows or a least number of distinct values says nothing of a part. A text column that the reader takes for another type, because the values that make the
/// difference are not in the sample, would be judged wrongly. Broken rows are not shown: a report goes to where more people read than may see the data.
/// </remarks>
internal sealed class CheckedExpectations(ProjectFolder project, Findings findings, Action<PipelineEvent> observe)
{
    private const string OnWhole = "it is judged on the whole data, by slipway run";

    public void Judge(Spec spec, CheckSamples samples, TableReading reading, CancellationToken cancellation)
    {
        foreach (var dataset in spec.Data.Values.Where(dataset => dataset.Expect is not null))
        {
            observe(new PhaseStarted($"validating {dataset.Name}"));
            Expectations expectations;
            try
            {
                expectations = ExpectationsParser.Load(project.Root, dataset.Expect!);
            }
            catch (SlipwayException failure)
            {
                findings.Bad(CheckGroup.Expectations, dataset.Expect!, failure.Faults, failure.Exit);
                continue;
            }

            if (samples.ByDataset.GetValueOrDefault(dataset.Name) is { } sample)
                Judge(dataset, expectations, sample, reading, cancellation);
            else
                findings.Skipped(CheckGroup.Expectations, dataset.Name, "the data could not be looked at");
        }
    }

    private void Judge(DatasetSpec dataset, Expectations expectations, CheckSample sample, TableReading reading, CancellationToken cancellation)
    {
        var judged = sample.IsWhole ? expectations : Judgeable(dataset, expectations, sample);
        try
        {
            foreach (var result in Validator.Validate(sample.Taken, judged, reading, cancellation).Results)
                Tell(dataset, expectations, result, sample.IsWhole ? "" : " of the sample");
        }
        catch (SlipwayException failure)
        {
            findings.Bad(CheckGroup.Expectations, dataset.Name, failure.Faults, failure.Exit);
        }
    }

    private Expectations Judgeable(DatasetSpec dataset, Expectations expectations, CheckSample sample)
    {
        if (expectations.Rows is not null)
            findings.Skipped(CheckGroup.Expectations, $"{dataset.Name}: number of rows", $"a part of the rows cannot tell; {OnWhole}");
        var other = sample.Of.Columns.Except(sample.Taken.Snapshot.Columns).Select(column => column.Name).ToHashSet();
        foreach (var column in other)
        {
            if (expectations.Columns.Any(expected => expected.Column == column))
                findings.Skipped(CheckGroup.Expectations, $"{dataset.Name}: {column}", $"the sample's values alone read as another type; {OnWhole}");
        }

        if (other.Count > 0 && !expectations.Rules.IsEmpty)
            findings.Skipped(CheckGroup.Expectations, $"{dataset.Name}: rules", $"the sample's values of {string.Join(", ", other)} alone read as another type; {OnWhole}");
        foreach (var expected in expectations.Columns.Where(expected => expected.DistinctMin is not null && !other.Contains(expected.Column)))
            findings.Skipped(CheckGroup.Expectations, $"{dataset.Name}: {expected.Column} at least {expected.DistinctMin} distinct values", $"a part of the rows cannot tell; {OnWhole}");
        return expectations with
        {
            Rows = null,
            Columns = [.. expectations.Columns.Where(expected => !other.Contains(expected.Column)).Select(expected => expected with { DistinctMin = null })],
            Rules = other.Count > 0 ? [] : expectations.Rules,
        };
    }

    private void Tell(DatasetSpec dataset, Expectations expectations, ExpectationResult result, string ofWhat)
    {
        var name = $"{dataset.Name}: {result.Name}";
        var at = PlaceOf(dataset, expectations, result);
        var found = result.Detail ?? $"{result.Bad} of {result.Checked} rows{ofWhat} break it, allowed {result.Allowed}";
        if (result.Verdict == ExpectationVerdict.Holds)
            findings.Passed(CheckGroup.Expectations, name, result.Bad > 0 ? found : null);
        else if (result.Verdict == ExpectationVerdict.NotChecked)
            findings.NotChecked(CheckGroup.Expectations, name, [at.Fault("expectation-not-checked", $"{result.Name}: could not be checked: {result.Detail}")]);
        else if (result.Severity == Severity.Warn)
            findings.Passed(CheckGroup.Expectations, name, $"a warning: {found}");
        else
            findings.Bad(CheckGroup.Expectations, name, [at.Fault("expectation-broken", $"{result.Name}: {found}", $"correct the data or, where they are right, {dataset.Expect}")]);
    }

    private static Place PlaceOf(DatasetSpec dataset, Expectations expectations, ExpectationResult result) =>
        expectations.Columns.Where(column => column.Column == result.Column).Select(column => (Place?)column.At)
            .Concat(expectations.Rules.Where(rule => rule.Name == result.Name).Select(rule => (Place?)rule.At))
            .Concat(expectations.Unique.Where(unique => result.Name.StartsWith(string.Join(", ", unique.Columns), StringComparison.Ordinal)).Select(unique => (Place?)unique.At))
            .FirstOrDefault() ?? (result.Column is null ? expectations.Rows?.At : null) ?? dataset.At;
}
