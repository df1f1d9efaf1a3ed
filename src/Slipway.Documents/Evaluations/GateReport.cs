using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Evaluations;

/// <summary>Verdicts are worded in JSON as the command line documents them.</summary>
[JsonConverter(typeof(NamedEnum<Verdict>))]
public enum Verdict
{
    /// <summary>The zero value, so that an unset verdict is not trust.</summary>
    [JsonStringEnumMemberName("insufficient-evidence")] InsufficientEvidence,
    [JsonStringEnumMemberName("pass")] Pass,
    [JsonStringEnumMemberName("fail")] Fail,

    /// <summary>Skipped as the spec says; never counts as a pass of that gate.</summary>
    [JsonStringEnumMemberName("not-evaluated")] NotEvaluated,
}

public static class VerdictWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this Verdict verdict) => NamedEnum<Verdict>.Word(verdict);
}

/// <summary>The verdict of all gates over one bundle.</summary>
/// <param name="Bundle">Manifest digest that the verdict is about.</param>
/// <param name="Baseline">Manifest digest that it was compared with.</param>
/// <param name="Verdict">
/// Fail when any gate fails; otherwise insufficient evidence when any lacks it, or when not one was evaluated; otherwise pass.
/// </param>
/// <param name="Note">Why there is no verdict of any gate: none is declared, or all were skipped; else null.</param>
public sealed record GateReport(Digest Bundle, Digest? Baseline, Verdict Verdict, ImmutableArray<GateResult> Gates, string? Note = null)
{
    /// <summary>Whether both would be the same document.</summary>
    public bool SaysTheSameAs(GateReport other) =>
        CanonicalJson.Serialize(this, DocumentJson.Default.GateReport).AsSpan().SequenceEqual(CanonicalJson.Serialize(other, DocumentJson.Default.GateReport));
}

/// <param name="Reason">One sentence with the figures: <c>auc = 0.652 [0.641, 0.663] is wholly ≥ 0.60</c>.</param>
/// <param name="Figures">By the name used in the expression, every figure that was read.</param>
public sealed record GateResult(string Name, string Require, Verdict Verdict, string Reason, ImmutableSortedDictionary<string, Figure> Figures);
