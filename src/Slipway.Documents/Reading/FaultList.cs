using Slipway.Primitives.Faults;

namespace Slipway.Documents.Reading;

/// <summary>Gathers what is wrong with a file, so that a person hears of everything at once.</summary>
internal sealed class FaultList
{
    /// <summary>Faults that are told; a file with more is a wrong file, and a screen is full long before.</summary>
    public const int Most = 100;

    private readonly List<Fault> faults = [];

    public bool Any => faults.Count > 0;

    public int Count => faults.Count;

    public IReadOnlyList<Fault> InOrder => [.. faults.OrderBy(fault => fault.File, StringComparer.Ordinal).ThenBy(fault => fault.Line).ThenBy(fault => fault.Column)];

    public void Add(Place at, string code, string message, string? help = null) => faults.Add(at.Fault(code, message, help));

    public void Add(Fault fault) => faults.Add(fault);

    /// <exception cref="SlipwayException">Anything was added (exit 2), in the order of the file.</exception>
    public void ThrowIfAny()
    {
        if (!Any)
            return;
        var all = InOrder;
        if (all.Count > Most)
            all = [.. all.Take(Most), new Fault("more-faults", $"{all.Count - Most} more faults are not shown", all[0].File)];
        throw new SlipwayException(ExitCode.UnusableInput, all);
    }

    /// <summary>Ends the reading here: nothing after this fault would make sense.</summary>
    public SlipwayException And(Place at, string code, string message, string? help = null)
    {
        Add(at, code, message, help);
        return new SlipwayException(ExitCode.UnusableInput, InOrder);
    }
}
