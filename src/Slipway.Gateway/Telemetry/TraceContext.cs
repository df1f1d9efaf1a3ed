using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Slipway.Gateway.Telemetry;

/// <summary>Where a request belongs in a distributed trace.</summary>
/// <remarks>Source: W3C Trace Context, Level 1, section 3.2, "Traceparent Header".</remarks>
internal readonly record struct TraceContext(UInt128 Trace, ulong Span, byte Flags)
{
    /// <summary>The caller may have recorded the trace. The only flag that is handed on, as the standard wants of flags that it does not name.</summary>
    public const byte Sampled = 1;

    private const int Length = 55;

    /// <summary>Reads a header's value. A later version than 00 is read as 00, as the standard wants; anything invalid is no context at all.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TraceContext context)
    {
        context = default;
        if (text is null || text.Length < Length || text[2] != '-' || text[35] != '-' || text[52] != '-')
            return false;
        if (!Hex(text.AsSpan(0, 2), out byte version) || version == 0xff || (version == 0 ? text.Length > Length : text.Length > Length && text[Length] != '-'))
            return false;
        if (!Hex(text.AsSpan(3, 32), out UInt128 trace) || !Hex(text.AsSpan(36, 16), out ulong span) || !Hex(text.AsSpan(53, 2), out byte flags) || trace == 0 || span == 0)
            return false;
        context = new TraceContext(trace, span, flags);
        return true;
    }

    public override string ToString() => string.Create(Length, this, static (text, context) =>
    {
        "00-".CopyTo(text);
        context.Trace.TryFormat(text[3..], out _, "x32", CultureInfo.InvariantCulture);
        text[35] = '-';
        context.Span.TryFormat(text[36..], out _, "x16", CultureInfo.InvariantCulture);
        text[52] = '-';
        context.Flags.TryFormat(text[53..], out _, "x2", CultureInfo.InvariantCulture);
    });

    private static bool Hex<T>(ReadOnlySpan<char> text, out T value)
        where T : struct, System.Numerics.INumberBase<T>
    {
        value = default;
        return !text.ContainsAnyInRange('A', 'F') && T.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
