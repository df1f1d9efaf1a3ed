using Slipway.Primitives.Bytes;

namespace Slipway.Server.Web;

/// <summary>What pages load, from inside the program, under names that hold their digest: cached for ever, never stale.</summary>
internal static class PageAssets
{
    public static ReadOnlyMemory<byte> Style { get; } = Read("Slipway.Server.Web.style.css");

    public static string StylePath { get; } = $"/assets/{Digest.Of(Style.Span).Short}.css";

    private static ReadOnlyMemory<byte> Read(string name)
    {
        using var resource = typeof(PageAssets).Assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return bytes;
    }
}
