using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using Slipway.Documents.Charts;
using Slipway.Primitives.Bytes;

namespace Slipway.Server.Web.Kit;

/// <summary>What pages load, from inside the program, under names that hold their digest: cached for ever, never stale.</summary>
internal static class PageAssets
{
    public static PageAsset Style { get; } = PageAsset.Of("text/css", ".css", [.. Encoding.UTF8.GetBytes(ChartStyle.Css), .. Read("Kit.style.css")]);

    public static PageAsset Live { get; } = PageAsset.Of("text/javascript", ".js", Read("Live.live.js"));

    public static PageAsset Zoom { get; } = PageAsset.Of("text/javascript", ".js", Read("Live.zoom.js"));

    /// <summary>Apache ECharts, as its package has it; pages ask for it when somebody zooms.</summary>
    public static PageAsset Charts { get; } = PageAsset.Of("text/javascript", ".js", Read("Live.echarts.js"));

    public static PageAsset Icon { get; } = PageAsset.Of("image/svg+xml", ".svg", Read("Kit.icon.svg"));

    public static ImmutableArray<PageAsset> All { get; } = [Style, Live, Zoom, Charts, Icon];

    private static byte[] Read(string name)
    {
        using var resource = typeof(PageAssets).Assembly.GetManifestResourceStream("Slipway.Server.Web." + name)!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return bytes;
    }
}

/// <param name="Brotli">The same, compressed once: what nearly every browser takes.</param>
internal sealed record PageAsset(string Path, string Type, byte[] Bytes, byte[] Brotli)
{
    public static PageAsset Of(string type, string ending, byte[] bytes)
    {
        using var brotli = new MemoryStream();
        using (var stream = new BrotliStream(brotli, CompressionLevel.Optimal, leaveOpen: true))
            stream.Write(bytes);
        return new($"/assets/{Digest.Of(bytes).Short}{ending}", type, bytes, brotli.ToArray());
    }
}
