using System.Collections.Immutable;

namespace Slipway.Expressions.Conditions;

/// <summary>A lower bound on a count that asks for a sample, such as <c>requests >= 1000</c> beside a figure: below it nothing is known, rather than false.</summary>
/// <param name="sign">One of <c>>= ></c>.</param>
internal sealed class SampleSize(Quantity count, string sign, Quantity least) : Condition
{
    public override Finding Judge(Reading reading)
    {
        var found = new Comparison(count, sign, least).Judge(reading);
        return found.Truth != Truth.False ? found
            : new Finding(Truth.Unknown, $"{count.Source} = {Shown.Number(count.Read(reading).Value)}, and {(sign == ">" ? "more than" : "at least")} {least.Source} are asked for");
    }
}

/// <summary>An <c>and</c> of which some parts ask for a sample: without that the rest is not judged, whatever it would say.</summary>
internal sealed class SampledConjunction(ImmutableArray<Condition> samples, ImmutableArray<Condition> rest) : Condition
{
    private readonly Junction asked = new(samples, Truth.False), judged = new(rest, Truth.False);

    public override Finding Judge(Reading reading)
    {
        var (sample, found) = (asked.Judge(reading), judged.Judge(reading));
        return sample.Truth != Truth.True ? sample
            : found.Truth == Truth.True ? found with { Reason = $"{found.Reason}; {sample.Reason}" }
            : found;
    }
}
