using System.Collections.Immutable;
using Slipway.Documents.Checks;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Checks;

internal static class CheckReports
{
    /// <summary>One of each verdict, with that text wherever others' text can stand.</summary>
    public static CheckReport With(string text) => new(
        "tiny",
        1.25,
        [
            new(CheckGroup.Spec, "slipway.yaml", CheckVerdict.Passed, 0.1, text, []),
            new(CheckGroup.Expectations, text, CheckVerdict.Failed, 0.2, text, [new Fault("expectation-broken", text, text, 3, 4, text)]),
            new(CheckGroup.Expectations, "not checked", CheckVerdict.Error, 0, text, [new Fault("expectation-not-checked", text)]),
            new(CheckGroup.Gates, text, CheckVerdict.Skipped, 0, text, []),
        ],
        [new DatasetSample(text, 10, 3_000_000, null)],
        [new CheckedStage(text, StageSource.Executed, 0.5)],
        null);

    public static CheckReport Of(params CheckVerdict[] verdicts) =>
        new("tiny", 0, [.. verdicts.Select(verdict => new CheckResult(CheckGroup.Stages, "x", verdict, 0, null, []))], [], [], null);
}
