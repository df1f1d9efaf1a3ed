namespace Slipway.Tests.Store.Archives;

/// <summary>A folder of one test's own, removed after it.</summary>
public sealed class ScratchFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("slipway-");

    public string Root => folder.FullName;

    public string this[string relative] => Path.Combine(Root, relative);

    public string Write(string relative, ReadOnlySpan<byte> content)
    {
        var path = this[relative];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public void Dispose() => folder.Delete(recursive: true);
}
