using System;
using System.Collections.Generic;

namespace Example.Post
{
    /// <summary>A letter on its way.</summary>
    [Serializable]
    public sealed class Letter : IParcel, IDisposable
    {
        private const int MaxGrams = 500;
        private readonly List<string> stamps = new();

        public Letter(string address)
        {
            Address = address ?? throw new ArgumentNullException(nameof(address));
        }

        public string Address { get; init; }

        public event EventHandler? Delivered;

        public void Frank(string stamp)
        {
            stamps.Add(stamp);
            Delivered?.Invoke(this, EventArgs.Empty);
        }

        public void Dispose() => stamps.Clear();
    }

    public interface IParcel
    {
        string Address { get; }
    }

    public enum Speed { Slow, Fast }

    public record struct Weight(int Grams);

    public delegate void Posted(Letter letter);

    internal static class Office
    {
        public static Letter Open<T>(this T box) where T : IParcel
        {
            return new Letter(box.Address);
        }
    }
}
