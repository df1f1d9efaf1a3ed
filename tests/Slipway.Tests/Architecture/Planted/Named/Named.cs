namespace Slipway.Tests.Architecture.Planted.Named;

/// <summary>Named exactly like its folder.</summary>
internal sealed class Named;
