namespace Slipway.EndToEnd;

/// <summary>Finds the checkout that the tests were built from.</summary>
internal static class RepositoryRoot
{
    public static string Folder { get; } = Find();

    /// <summary>The command line as users start it.</summary>
    public static string Slipway => Path.Combine(Folder, "slipway");

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Slipway.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("the tests were not started from a checkout");
    }
}
