using System.Globalization;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>How people name a registered version: <c>flight-delay@3</c>, or <c>3</c> in the model's own project.</summary>
internal sealed record VersionName(string Model, int Number)
{
    /// <exception cref="SlipwayException">No version (exit 2), or a bare number where there is no project (exit 2).</exception>
    public static VersionName Parse(Shell shell, string text)
    {
        var at = text.IndexOf('@');
        var (model, number) = at < 0 ? (null, text) : (text[..at], text[(at + 1)..]);
        return (model is null || Spec.IsName(model)) && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed > 0
            ? new VersionName(model ?? shell.LoadSpec().Name, parsed)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-version", $"'{text}' names no version, allowed is MODEL@NUMBER, or a NUMBER in the model's project", Help: "`slipway models` lists what is registered"));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Model}@{Number}");
}
