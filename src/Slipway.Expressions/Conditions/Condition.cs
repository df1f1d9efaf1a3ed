using System.Collections.Immutable;
using Slipway.Expressions.Figures;

namespace Slipway.Expressions.Conditions;

/// <summary>What is being read while a condition is judged: the figures, the slice that a quantifier stands at, and what was read so far.</summary>
/// <param name="Slice">Null outside a quantifier.</param>
internal sealed record Reading(FigureSet Figures, ImmutableSortedDictionary<string, FigureReading>.Builder Read, string? Column = null, SliceFigures? Slice = null);

/// <param name="Reason">A clause with its figures.</param>
internal readonly record struct Finding(Truth Truth, string Reason);

/// <summary>A checked condition: every name is known and every type fits.</summary>
internal abstract class Condition
{
    public abstract Finding Judge(Reading reading);

    /// <summary>Whether it reads anything but counts.</summary>
    public virtual bool ReadsFigure => true;

    /// <summary>The same as a request for a sample, which is met or unknown and never false; null where it says more than "so many at least".</summary>
    /// <param name="isDenied">Whether a <c>not</c> stands before it.</param>
    public virtual Condition? AsSample(bool isDenied) => null;
}

internal sealed class Negation(Condition inner) : Condition
{
    public override bool ReadsFigure => inner.ReadsFigure;

    public override Condition? AsSample(bool isDenied) => inner.AsSample(!isDenied);

    public override Finding Judge(Reading reading)
    {
        var found = inner.Judge(reading);
        return found with { Truth = found.Truth switch { Truth.True => Truth.False, Truth.False => Truth.True, _ => Truth.Unknown } };
    }
}

/// <summary>Kleene's <c>and</c> (decided by one false) or <c>or</c> (decided by one true).</summary>
/// <param name="decisive">False for <c>and</c>, true for <c>or</c>.</param>
internal sealed class Junction(ImmutableArray<Condition> parts, Truth decisive) : Condition
{
    public override bool ReadsFigure => parts.Any(part => part.ReadsFigure);

    public override Condition? AsSample(bool isDenied)
    {
        var samples = parts.Select(part => part.AsSample(isDenied)).OfType<Condition>().ToImmutableArray();
        return samples.Length < parts.Length ? null
            : new Junction(samples, decisive is Truth.False != isDenied ? Truth.False : Truth.True);     // de Morgan
    }

    public override Finding Judge(Reading reading)
    {
        // All parts are judged even when one decides, so that every figure named is reported as read.
        var findings = parts.Select(part => part.Judge(reading)).ToList();
        var truth = findings.Exists(finding => finding.Truth == decisive) ? decisive
            : findings.Exists(finding => finding.Truth is Truth.Unknown) ? Truth.Unknown
            : decisive is Truth.True ? Truth.False : Truth.True;
        return new Finding(truth, string.Join("; ", findings.Where(finding => finding.Truth == truth).Select(finding => finding.Reason)));
    }
}

/// <summary><c>slices.hour.all(s, …)</c> or <c>.any</c>. Over no slices at all it is unknown: nothing was looked at.</summary>
/// <param name="decisive">False for <c>all</c>, true for <c>any</c>.</param>
internal sealed class Quantifier(string column, int place, Condition body, Truth decisive) : Condition
{
    /// <summary>Slices told in a reason; the rest is counted.</summary>
    private const int Told = 3;

    public override Finding Judge(Reading reading)
    {
        var slices = Names.Slices(reading.Figures, column, place);
        if (slices.IsEmpty)
            return new Finding(Truth.Unknown, $"there are no slices of {column}");

        var findings = slices.Select(slice => (slice, found: body.Judge(reading with { Column = column, Slice = slice }))).ToList();
        var truth = findings.Exists(each => each.found.Truth == decisive) ? decisive
            : findings.Exists(each => each.found.Truth is Truth.Unknown) ? Truth.Unknown
            : decisive is Truth.True ? Truth.False : Truth.True;
        var telling = findings.Where(each => each.found.Truth == truth).ToList();
        var count = telling.Count == slices.Length ? $"all {slices.Length} slices of {column}" : $"{telling.Count} of {slices.Length} slices of {column}";
        var examples = string.Join("; ", telling.Take(Told).Select(each => $"{column} {each.slice.Value}: {each.found.Reason}"));
        var rest = telling.Count > Told ? $"; and {telling.Count - Told} more" : "";
        return new Finding(truth, $"{Said(truth)} {count}: {examples}{rest}");
    }

    private static string Said(Truth truth) => truth switch
    {
        Truth.True => "holds for",
        Truth.False => "does not hold for",
        _ => "is undecided for",
    };
}

/// <summary><c>s.value == 'ATL'</c>.</summary>
internal sealed class SliceValueIs(string text, bool equal) : Condition
{
    public override Finding Judge(Reading reading)
    {
        var holds = reading.Slice!.Value == text == equal;
        return new Finding(holds ? Truth.True : Truth.False, $"its value is '{reading.Slice.Value}'");
    }
}
