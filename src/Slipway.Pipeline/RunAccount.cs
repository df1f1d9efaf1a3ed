using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Sealing;

using EvaluationDocument = Slipway.Documents.Evaluations.Evaluation;

namespace Slipway.Pipeline;

/// <summary>What a run found and made, as far as it came.</summary>
/// <param name="RunId">Names the run's folder of logs and record.</param>
/// <param name="Data">By dataset name.</param>
/// <param name="Validation">One for each dataset that has expectations.</param>
/// <param name="Stages">In plan order; empty when validation stopped the run.</param>
/// <param name="Bundle">Null when the spec names no model, when only some stages were asked for, and when validation stopped the run.</param>
/// <param name="Gates">Null when there is no bundle, or the spec declares no gates.</param>
/// <param name="Signer">Id of the key that signed the statements about the bundle.</param>
public sealed record RunAccount(
    string RunId,
    ImmutableArray<Snapshot> Data,
    ImmutableArray<ValidationReport> Validation,
    ImmutableArray<HostFingerprint> Environments,
    ImmutableArray<StageResult> Stages,
    EvaluationDocument? Evaluation,
    SealedBundle? Bundle,
    GateReport? Gates,
    string? Signer)
{
    /// <summary>Looks for the absolute paths of all that this hangs on, when every stage was known and what was sealed as well: while none of them changes, another run comes to the same. Else null.</summary>
    public Func<ImmutableArray<string>?> RestsOn { get; init; } = () => null;

    /// <summary>Whether every expectation of severity error was checked and holds.</summary>
    public bool DataAreValid => Validation.All(report => report.Passed);

    /// <summary>Whether nothing that was judged was found bad or could not be judged.</summary>
    public bool IsGood => DataAreValid && Gates is null or { Verdict: Verdict.Pass };
}
